"""Transforms, and a cell of a row."""
import hashlib
import re


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
    """The text, or None for null. Numbers, literals and JSON text (a list that holds any, too) keep their characters:
    only a digest is taken of them."""
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


def changed(job, text, is_text):
    """A cell of the text with what csv options change in it."""
    changes = []
    if job.null_drop and "\0" in text:
        text = text.replace("\0", "")
        changes.append("null_character")
    if job.newline_space and ("\n" in text or "\r" in text):
        text = re.sub("\r\n|\r|\n", " ", text)
        changes.append("newline")
    if job.formula and is_text and text[:1] in ("=", "+", "-", "@", "\t", "\r") and text:
        text = "'" + text
        changes.append("formula")
    return Cell(text, False, changes)


def id_key(job, value):
    """What two ids that are one have in common: the text that is written."""
    return changed(job, value.text, value.kind == "string").text
