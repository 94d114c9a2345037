"""Transforms, and a cell of a row."""
import hashlib


def simple_lower(text):
    # U+0130 is the only one whose full mapping is longer; its simple one is i. Characters one by one: no final sigma.
    return "".join("i" if c == "\u0130" else c.lower() for c in text)


def simple_upper(text):
    # A full mapping of several characters has a simple one only where the title form is one character.
    out = []
    for c in text:
        upper = c.upper()
        if len(upper) != 1:
            title = c.title()
            upper = title if len(title) == 1 else c
        out.append(upper)
    return "".join(out)


def transformed(text, transforms, is_text):
    """The text, or None for null. Numbers, literals and JSON text keep their characters: only a digest is taken of them."""
    for name in transforms:
        if name != "sha256" and not is_text:
            continue
        if name == "trim":
            text = text.strip(" \t\r\n")
        elif name == "lower":
            text = simple_lower(text)
        elif name == "upper":
            text = simple_upper(text)
        else:
            if text == "":
                return None
            text = hashlib.sha256(text.encode("utf-8")).hexdigest()
            is_text = True
    return text


class Cell:
    __slots__ = ("text", "null", "changes")

    def __init__(self, text, null=False, changes=()):
        self.text = text
        self.null = null
        self.changes = changes
