"""A record's bytes as a tolerant tree of strings and brackets, tokens, and their defects in byte order."""
import re

from .readings import READINGS, Ambiguous

BLANKS = b" \t\n\r"
OPERATORS = b"{}[]:,"


class Defects:
    """The first defect in byte order: add() keeps the lowest position (the earliest added on a tie)."""

    def __init__(self):
        self.first = None

    def add(self, position, code):
        if self.first is None or position < self.first[0]:
            self.first = (position, code)


ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
INSIDE = re.compile(rb'(?:[^"\\]|\\.)*', re.DOTALL)  # what may stand between two quotes
CONTROL = re.compile(rb"[\x00-\x1f]")
HEX4 = re.compile(rb"[0-9a-fA-F]{4}\Z")


def unescape(raw, base=0):
    """(text, position of the first bad escape or None, [(position, code)] of lone surrogates and NULs).

    `raw` is what stands between the quotes, valid UTF-8; `base` is where it stands."""
    if b"\\" not in raw:
        return raw.decode("utf-8"), None, []
    out = []
    marks = []
    i = 0
    while True:
        j = raw.find(b"\\", i)
        if j < 0:
            out.append(raw[i:].decode("utf-8"))
            return "".join(out), None, marks
        out.append(raw[i:j].decode("utf-8"))
        kind = raw[j + 1:j + 2].decode("latin-1")
        if kind in ESCAPES and kind:
            out.append(ESCAPES[kind])
            i = j + 2
            continue
        if kind != "u" or not HEX4.match(raw[j + 2:j + 6]):
            return "".join(out), base + j, marks
        unit = int(raw[j + 2:j + 6], 16)
        i = j + 6
        if 0xD800 <= unit < 0xDC00 and raw[i:i + 2] == b"\\u" and HEX4.match(raw[i + 2:i + 6]):
            low = int(raw[i + 2:i + 6], 16)
            if 0xDC00 <= low < 0xE000:
                out.append(chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)))
                i += 6
                continue
        if 0xD800 <= unit < 0xE000:
            marks.append((base + j, "lone_surrogate"))
        elif unit == 0:
            marks.append((base + j, "null_character"))
        out.append(chr(unit))


class Node:
    """A value (kind: object, array, string, scalar) or a mark (`:`, `,`). A container's items are its direct
    children and marks in input order; `closed` is false when the record broke off inside."""

    __slots__ = ("kind", "start", "end", "items", "closed", "parsed", "broken")

    def __init__(self, kind, start, end=None):
        self.kind = kind
        self.start = start
        self.end = end
        self.items = []
        self.closed = False
        self.parsed = None
        self.broken = None  # (position) of the first grammar defect of this container itself


class Record:
    """One record's bytes as a tolerant tree: brackets and strings only."""

    def __init__(self, raw, max_depth, unclosed):
        self.raw = raw
        self.defects = Defects()  # found everywhere, whatever the paths are
        self.root = None
        self._scan(max_depth, unclosed)

    def _scan(self, max_depth, unclosed):
        raw, n = self.raw, len(self.raw)
        stack = []
        i = 0
        while i < n:
            byte = raw[i]
            if byte in BLANKS:
                i += 1
                continue
            if self.root is not None and not stack:
                self.defects.add(i, "trailing_content")
                return
            if byte in b"{[":
                node = Node("object" if byte == 0x7B else "array", i)
                if stack:
                    stack[-1].items.append(node)
                else:
                    self.root = node
                stack.append(node)
                if len(stack) > max_depth:
                    self.defects.add(i, "depth")
                    return
                i += 1
            elif byte in b"}]":
                if not stack or (byte == 0x7D) != (stack[-1].kind == "object"):
                    self.defects.add(i, "syntax")
                    return
                node = stack.pop()
                node.end = i + 1
                node.closed = True
                i += 1
            elif byte in b":,":
                if stack:
                    stack[-1].items.append(Node(chr(byte), i, i + 1))
                i += 1
            elif byte == 0x22:
                end = self._string(i, unclosed)
                if end is None:
                    stack[-1].items.append(Node("unclosed", i, n))
                    return
                stack[-1].items.append(Node("string", i, end))
                if self.defects.first is not None:
                    return
                i = end
            else:
                j = i
                while j < n and raw[j] not in BLANKS and raw[j] not in OPERATORS and raw[j] != 0x22:
                    if raw[j] == 0x5C and raw[j + 1:j + 2] in (b'"', b"\\"):
                        raise Ambiguous("backslash before a quote outside strings")
                    j += 1
                # A string right behind a scalar (1"x") makes one malformed scalar with it.
                end = self._string(j, unclosed) if raw[j:j + 1] == b'"' else j
                stack[-1].items.append(Node("scalar", i, n if end is None else end))
                if self.defects.first is not None:
                    return
                i = end
        if stack:
            self.defects.add(n, "syntax")

    def _string(self, i, unclosed):
        """Where the string that begins at `i` ends, None when it does not; notes what is wrong inside."""
        raw, n = self.raw, len(self.raw)
        j = INSIDE.match(raw, i + 1).end()
        control = CONTROL.search(raw, i + 1, j)
        if control:
            self.defects.add(control.start(), "syntax")
        if raw[j:j + 1] == b'"':
            return j + 1
        self.defects.add(n if unclosed == "end" else i, "unclosed_string")
        if unescape(raw[i + 1:], i + 1)[1] is not None:
            raise Ambiguous("a bad escape in an unclosed string")
        return None

    def members(self, node):
        """[(key, value)] of an object up to its first grammar defect, which is noted in node.broken."""
        if node.parsed is not None:
            return node.parsed
        members = []
        state = "first"
        key = None
        for item in node.items:
            if state in ("first", "key"):
                if item.kind == "unclosed":
                    break  # a string may stand here: it is only its end that is missing
                if item.kind != "string":
                    node.broken = item.start
                    break
                key, bad, _ = unescape(self.raw[item.start + 1:item.end - 1], item.start + 1)
                if bad is not None:
                    node.broken = bad
                    break
                state = "colon"
            elif state == "colon":
                if item.kind != ":":
                    node.broken = item.start
                    break
                state = "value"
            elif state == "value":
                if item.kind in ":,":
                    node.broken = item.start
                    break
                members.append((key, item))
                state = "comma"
            else:
                if item.kind != ",":
                    node.broken = item.start
                    break
                state = "key"
        else:
            if node.closed and state not in ("first", "comma"):
                node.broken = node.end - 1
        node.parsed = members
        return members

    def elements(self, node):
        if node.parsed is not None:
            return node.parsed
        elements = []
        state = "first"
        for item in node.items:
            if state in ("first", "value"):
                if item.kind in ":,":
                    node.broken = item.start
                    break
                elements.append(item)
                state = "comma"
            else:
                if item.kind != ",":
                    node.broken = item.start
                    break
                state = "value"
        else:
            if node.closed and state == "value":
                node.broken = node.end - 1
        node.parsed = elements
        return elements

    def text(self, node):
        return self.raw[node.start:node.end]


NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")


def scalar_type(record, node):
    """string, number, true, false, null; None when the token is malformed."""
    if node.kind == "string":
        return "string"
    text = record.text(node)
    if text in (b"true", b"false", b"null"):
        return text.decode()
    return "number" if NUMBER.match(text) else None


def minify(record, node):
    """(JSON text without blanks between tokens, marks of escapes inside)."""
    out = []
    marks = []
    raw = record.raw
    i = node.start
    while i < node.end:
        if raw[i] == 0x22:
            j = i + 1
            while raw[j] != 0x22:
                j += 2 if raw[j] == 0x5C else 1
            _, _, found = unescape(raw[i + 1:j], i + 1)
            marks += found
            out.append(raw[i:j + 1])
            i = j + 1
        else:
            if raw[i] not in BLANKS:
                out.append(raw[i:i + 1])
            i += 1
    if marks and READINGS["json_escapes"] is None:
        raise Ambiguous("lone surrogate or NUL inside JSON text")
    return b"".join(out).decode("utf-8"), marks if READINGS["json_escapes"] == "fail" else []


def valid_utf8(raw):
    try:
        raw.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False
