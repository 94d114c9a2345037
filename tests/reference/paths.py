"""Paths as the contract writes them, and which keys a name matches."""
import re
from decimal import Decimal

from .json_walk import ESCAPES
from .readings import Ambiguous, BadPath

NAME = re.compile(r"[A-Za-z0-9_\-:\x80-\U0010ffff]+")
FILTER_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BARE_PATH = re.compile(r"(?:\$\.)?[A-Za-z0-9_\-:\x80-\U0010ffff]+(?:\.[A-Za-z0-9_\-:\x80-\U0010ffff]+)*")
INDEX = re.compile(r"0|-?[1-9][0-9]*")


class PathParser:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def fail(self, why):
        raise BadPath(f"{self.text!r} at {self.at + 1}: {why}")

    def blanks(self):
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def take(self, what):
        if self.text.startswith(what, self.at):
            self.at += len(what)
            return True
        return False

    def name(self):
        found = NAME.match(self.text, self.at)
        if not found:
            self.fail("a name is expected")
        self.at = found.end()
        return found.group()

    def literal(self):
        quote = self.text[self.at]
        self.at += 1
        out = []
        while True:
            if self.at >= len(self.text):
                self.fail("string not closed")
            c = self.text[self.at]
            self.at += 1
            if c == quote:
                return "".join(out)
            if c < " ":
                self.fail("control character")
            if c != "\\":
                out.append(c)
                continue
            kind = self.text[self.at:self.at + 1]
            self.at += 1
            if kind == quote or (kind in ESCAPES and kind not in ("", '"')):
                out.append(ESCAPES.get(kind, kind))
            elif kind == "u":
                units = [self.hex4()]
                if 0xD800 <= units[0] < 0xDC00:
                    if not self.take("\\u"):
                        self.fail("lone surrogate")
                    units.append(self.hex4())
                    if not 0xDC00 <= units[1] < 0xE000:
                        self.fail("lone surrogate")
                    out.append(chr(0x10000 + ((units[0] - 0xD800) << 10) + units[1] - 0xDC00))
                elif 0xDC00 <= units[0] < 0xE000:
                    self.fail("lone surrogate")
                else:
                    out.append(chr(units[0]))
            else:
                self.fail("unknown escape")

    def hex4(self):
        digits = self.text[self.at:self.at + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            self.fail("four hex digits are expected")
        self.at += 4
        return int(digits, 16)

    def bracket(self):
        self.blanks()
        c = self.text[self.at:self.at + 1]
        if c == "*":
            self.at += 1
            part = ("wildcard",)
        elif c in ("'", '"') and c:
            part = ("name", self.literal())
        elif c == "?":
            self.at += 1
            self.blanks()
            part = self.filter()
        else:
            found = INDEX.match(self.text, self.at)
            if not found:
                self.fail("not a selector")
            self.at = found.end()
            part = ("index", int(found.group()))
        self.blanks()
        if not self.take("]"):
            self.fail("] is expected")
        return part

    def filter(self):
        if not self.take("@"):
            self.fail("@ is expected")
        if self.take("."):
            key = self.name()
        elif self.take("["):
            self.blanks()
            if self.text[self.at:self.at + 1] not in ("'", '"'):
                self.fail("a quoted key is expected")
            key = self.literal()
            self.blanks()
            if not self.take("]"):
                self.fail("] is expected")
        else:
            self.fail("a key is expected")
        self.blanks()
        if not self.take("=="):
            self.fail("== is expected")
        self.blanks()
        if self.text[self.at:self.at + 1] in ("'", '"'):
            return ("filter", key, ("string", self.literal()))
        for word in ("true", "false", "null"):
            if self.take(word):
                return ("filter", key, (word, None))
        found = FILTER_NUMBER.match(self.text, self.at)
        if not found:
            self.fail("a literal is expected")
        self.at = found.end()
        return ("filter", key, ("number", found.group()))

    def parse(self):
        parts = []
        if self.take("$"):
            if self.at == len(self.text):
                self.fail("nothing selected")
        elif self.text[:1] != "[":
            parts.append(("name", self.name()))
        while self.at < len(self.text):
            if self.take("."):
                parts.append(("name", self.name()))
            elif self.take("["):
                parts.append(self.bracket())
            else:
                self.fail(". or [ is expected")
        if not parts:
            self.fail("empty")
        return parts


class Path:
    def __init__(self, text):
        self.text = text
        self.parts = PathParser(text).parse()
        self.multi = any(part[0] in ("wildcard", "filter") for part in self.parts)
        self.namespace = None  # of the form identityMap.NS
        if len(self.parts) == 2 and self.parts[0] == ("name", "identityMap") and self.parts[1][0] == "name":
            self.namespace = self.parts[1][1]

    def folds(self, index):
        """True when part `index` matches keys without regard to ASCII case."""
        return index > 0 and self.parts[index - 1] == ("name", "identityMap")


ASCII_LOWER = {ord(c): ord(c) + 32 for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def fold(text):
    return text.translate(ASCII_LOWER)


def same_key(key, name, folds):
    return fold(key) == fold(name) if folds else key == name


def numbers_equal(a, b):
    if max(len(a), len(b)) > 400:
        raise Ambiguous("comparison of very long numbers")
    exact = Decimal(a) == Decimal(b)
    if exact != (float(a) == float(b)):
        raise Ambiguous("numbers equal as doubles only")
    return exact


def matches(key, name, folds):
    return same_key(key, name, folds) or (key.startswith("xdm:") and same_key(key[4:], name, folds))
