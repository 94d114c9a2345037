#!/usr/bin/env python3
"""A second, slow and plain implementation of what penstock promises, to compare it with.

Written from the README's contract alone (Paths, Values, Which record goes where, A record is isolated, Report), not
from the C sources. It reads NDJSON and job files in JSON syntax (a subset of YAML) with the keys of this version.

Where the contract leaves a case open, the record raises `Ambiguous` with the name of the open question: drivers
leave such records out of what they generate and print how many there were. Readings that were settled since are the
constants of READINGS.

Run by hand:  reference.py JOB.json OUTDIR SOURCE...   writes the data files, rejects.jsonl and report.json.
"""
import base64
import hashlib
import json
import os
import re
import sys
from decimal import Decimal, Context, Inexact
from fractions import Fraction

BLANKS = b" \t\n\r"
OPERATORS = b"{}[]:,"
RAW_MAX = 64 * 1024

# Settled readings of places where the contract is short; None: open, such records are Ambiguous.
READINGS = {
    # A record that begins with something that is no JSON value at all (`second half",...`, `}`, `abc`).
    "root_junk": "syntax",
    # Where an unclosed string counts in byte order: "end" of the record or "open", its first quote.
    "unclosed": "end",
    # Which containers and scalars are checked: "needed" (what the paths select in the end) or "reached" (what a
    # walk may meet before it knows: duplicates that lose, elements that a filter leaves out). None: both agree,
    # or the record is Ambiguous.
    "enter": None,
    # Escapes of lone surrogates and NUL inside an object or array that is written as JSON text: "fail" or "keep".
    "json_escapes": "keep",
    # A lone surrogate or NUL in the id itself drops the record in the stage "identity" (before `required`, and
    # whatever stands earlier in the bytes), or in "columns" with the values of the columns.
    "identity_value": "identity",
}


class Ambiguous(Exception):
    """The contract leaves this case open; str() names the question."""


class BadPath(Exception):
    pass


# ---------------------------------------------------------------------------------------------- strings and tokens


class Defects:
    """The first defect in byte order: add() keeps the lowest position (the earliest added on a tie)."""

    def __init__(self):
        self.first = None

    def add(self, position, code):
        if self.first is None or position < self.first[0]:
            self.first = (position, code)


ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
HEX4 = re.compile(rb"[0-9a-fA-F]{4}\Z")


def unescape(raw, base=0):
    """(text, position of the first bad escape or None, [(position, code)] of lone surrogates and NULs).

    `raw` is what stands between the quotes, valid UTF-8; `base` is where it stands."""
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
        j = i + 1
        while j < n and raw[j] != 0x22:
            j += 2 if raw[j] == 0x5C else 1
        for k in range(i + 1, min(j, n)):
            if raw[k] < 0x20:
                self.defects.add(k, "syntax")
                break
        if j < n:
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


# -------------------------------------------------------------------------------------------------------- paths

NAME = re.compile(r"[A-Za-z0-9_\-:\x80-\U0010ffff]+")
FILTER_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
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


def fold(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def same_key(key, name, folds):
    return fold(key) == fold(name) if folds else key == name


def numbers_equal(a, b):
    if max(len(a), len(b)) > 400:
        raise Ambiguous("comparison of very long numbers")
    exact = Decimal(a) == Decimal(b)
    if exact != (float(a) == float(b)):
        raise Ambiguous("numbers equal as doubles only")
    return exact


# ---------------------------------------------------------------------------------------------------------- job


class Column:
    def __init__(self, spec):
        self.name = spec["name"]
        self.paths = [Path(spec["path"])] if "path" in spec else []
        self.paths += [Path(p) for p in spec.get("fallback", [])]
        self.default = spec.get("default")
        self.constant = spec.get("constant")
        self.required = spec.get("required", False)
        self.type = spec.get("type")
        self.transform = spec.get("transform", [])


class Job:
    """The keys of this version, defaults filled in. Unknown keys are an error of the test, not a case."""

    KEYS = {"name", "description", "source", "destination", "files", "csv", "identity", "columns", "rejects"}

    def __init__(self, spec):
        unknown = set(spec) - self.KEYS
        if unknown:
            raise ValueError(f"keys the reference does not know: {unknown}")
        self.name = spec["name"]
        source = spec.get("source", {})
        self.max_record = size_of(source.get("max_record", 16 << 20))
        self.max_depth = int(source.get("max_depth", 1024))
        files = spec.get("files", {})
        self.file_name = files.get("name", "{name}_{run_time}_{part}.csv")
        self.max_rows = int(files.get("max_rows", 5000000))
        self.max_bytes = size_of(files["max_bytes"]) if files.get("max_bytes") is not None else None
        csv = spec.get("csv", {})
        pega = csv.get("dialect", "rfc4180") == "pega"
        self.delimiter = csv.get("delimiter", ",")
        self.quote_all = csv.get("quote", "necessary") == "all"
        self.header = csv.get("header", "every")
        self.line_end = "\r\n" if csv.get("line_end", "lf") == "crlf" else "\n"
        self.null = csv.get("null", "")
        self.newline_space = csv.get("newline_in_value", "space" if pega else "keep") == "space"
        self.null_drop = csv.get("null_character", "drop" if pega else "reject") == "drop"
        self.separator = csv.get("list_separator", "|")
        self.formula = csv.get("formula_escape", False)
        identity = spec.get("identity")
        self.identity_column = identity["column"] if identity else None
        self.identity_paths = [Path(p) for p in identity["paths"]] if identity else []
        self.multiple = identity.get("multiple", "primary") if identity else None
        self.missing = identity.get("missing", "reject") if identity else None
        self.columns = [Column(c) for c in spec.get("columns", [])]
        rejects = spec.get("rejects", {})
        self.budget = str(rejects.get("max", 0))


UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20,
         "GiB": 2**30, "TiB": 2**40, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def size_of(value):
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)", str(value))
    return int(Fraction(found.group(1)) * UNITS[found.group(2)])


# ----------------------------------------------------------------------------------------- which parts are checked


class Check:
    """Collects the grammar defects of what is entered and used; with mode "reached", of whatever a path may reach."""

    def __init__(self, record):
        self.record = record
        self.defects = Defects()
        self.duplicates = False

    def enter(self, node):
        children = self.record.members(node) if node.kind == "object" else self.record.elements(node)
        if node.broken is not None:
            self.defects.add(node.broken, "syntax")
        return children

    def scalar(self, node):
        if node.kind == "unclosed":
            return None
        if node.kind == "string":
            _, bad, _ = unescape(self.record.raw[node.start + 1:node.end - 1], node.start + 1)
            if bad is not None:
                self.defects.add(bad, "syntax")
            return "string"
        kind = scalar_type(self.record, node)
        if kind is None:
            self.defects.add(node.start, "syntax")
        return kind

    def whole(self, node):
        pending = [node]
        while pending:
            node = pending.pop()
            if node.kind == "object":
                pending += [value for _, value in self.enter(node)]
            elif node.kind == "array":
                pending += self.enter(node)
            else:
                self.scalar(node)

    # --- "reached": all that a walk may meet before it knows what wins

    def reach(self, node, states):
        """`states`: (path, index of the next part, is identity)."""
        if node.kind == "unclosed":
            return
        if node.kind in ("string", "scalar"):
            if states:
                self.scalar(node)
            return
        deeper = []
        for state in states:
            path, index, identity = state
            if index == len(path.parts):
                if identity and path.namespace is not None:
                    self.reach_namespace(node)
                elif identity:
                    self.whole(node)
                else:
                    self.whole(node)
            else:
                deeper.append(state)
        if not deeper:
            return
        if node.kind == "object":
            wanted = [s for s in deeper if s[0].parts[s[1]][0] in ("name", "wildcard", "filter")]
            if not wanted:
                return
            members = self.enter(node)
            for path, index, _ in wanted:
                part = path.parts[index]
                if part[0] == "name":
                    keys = [k for k, _ in members if matches(k, part[1], path.folds(index))]
                    self.duplicates |= len(set(keys)) != len(keys)
                elif len({k for k, _ in members}) != len(members):
                    self.duplicates = True
            for key, value in members:
                states = []
                for path, index, identity in wanted:
                    part = path.parts[index]
                    if part[0] == "name" and matches(key, part[1], path.folds(index)):
                        states.append((path, index + 1, identity))
                    elif part[0] == "wildcard":
                        states.append((path, index + 1, identity))
                    elif part[0] == "filter":
                        self.reach_tested(value, part)
                        states.append((path, index + 1, identity))
                self.reach(value, states)
        else:
            wanted = [s for s in deeper if s[0].parts[s[1]][0] in ("index", "wildcard", "filter")]
            if not wanted:
                return
            for element in self.enter(node):
                states = []
                for path, index, identity in wanted:
                    part = path.parts[index]
                    if part[0] == "filter":
                        self.reach_tested(element, part)
                    states.append((path, index + 1, identity))
                self.reach(element, states)

    def reach_tested(self, node, part):
        if node.kind == "object":
            members = self.enter(node)
            keys = [k for k, _ in members if matches(k, part[1], False)]
            self.duplicates |= len(set(keys)) != len(keys)
            for key, value in members:
                if matches(key, part[1], False):
                    self.whole(value)

    def reach_namespace(self, node):
        if node.kind != "array":
            return
        for element in self.enter(node):
            if element.kind == "object":
                members = self.enter(element)
                for name in ("id", "primary"):
                    keys = [k for k, _ in members if matches(k, name, False)]
                    self.duplicates |= len(set(keys)) != len(keys)
                for key, value in members:
                    if matches(key, "id", False) or matches(key, "primary", False):
                        self.whole(value)
            else:
                self.whole(element)


def matches(key, name, folds):
    return same_key(key, name, folds) or (key.startswith("xdm:") and same_key(key[4:], name, folds))


# ------------------------------------------------------------------------------------------------------ selection


class Value:
    """What a path gave: text, where it stands, what is wrong inside ([(position, code)])."""

    __slots__ = ("text", "kind", "start", "end", "marks", "path")

    def __init__(self, text, kind, start, end, marks, path):
        self.text = text
        self.kind = kind  # string, number, true, false, json, list
        self.start = start
        self.end = end
        self.marks = marks
        self.path = path


class Selection:
    """Evaluates paths over a tree; `check` sees every container entered and every scalar looked at."""

    def __init__(self, record, check):
        self.record = record
        self.check = check

    def named(self, node, name, folds=False):
        """The members that a name selects: one or none; several when case-folded namespaces differ in case."""
        members = self.check.enter(node)
        exact = [(k, v) for k, v in members if same_key(k, name, folds)]
        prefixed = [(k, v) for k, v in members if k.startswith("xdm:") and same_key(k[4:], name, folds)]
        group = exact or prefixed
        if not group:
            return []
        last = {}
        for at, (key, value) in enumerate(group):
            if key in last:
                self.check.duplicates = True
            last[key] = (at, value)
        if len(group) > len(last) > 1:
            raise Ambiguous("a namespace twice beside one of another case")
        return [value for _, value in sorted(last.values(), key=lambda entry: entry[0])]

    def nodes(self, path):
        current = [self.record.root]
        for index, part in enumerate(path.parts):
            following = []
            for node in current:
                if part[0] == "name":
                    if node.kind == "object":
                        found = self.named(node, part[1], path.folds(index))
                        if len(found) > 1:
                            after = path.parts[index + 1:index + 2]
                            if not after or after[0][0] not in ("wildcard", "filter"):
                                raise Ambiguous("joined namespaces in a path without [*]")
                        following += found
                elif part[0] == "index":
                    if node.kind == "array":
                        elements = self.check.enter(node)
                        at = part[1] if part[1] >= 0 else part[1] + len(elements)
                        if 0 <= at < len(elements):
                            following.append(elements[at])
                elif node.kind in ("object", "array"):
                    children = self.check.enter(node)
                    if node.kind == "object":
                        if len({k for k, _ in children}) != len(children):
                            raise Ambiguous("duplicate keys under a wildcard")
                        children = [v for _, v in children]
                    if part[0] == "filter":
                        children = [c for c in children if self.passes(c, part)]
                    following += children
            current = following
        return current

    def passes(self, node, part):
        if node.kind != "object":
            return False
        found = self.named(node, part[1])
        if not found:
            return False
        value = found[-1]
        kind, literal = part[2]
        if value.kind in ("object", "array", "unclosed"):
            return False
        have = self.check.scalar(value)
        if have == "string":
            text, _, marks = unescape(self.record.raw[value.start + 1:value.end - 1])
            if marks:
                raise Ambiguous("lone surrogate or NUL in a compared value")
            return kind == "string" and text == literal
        if have == "number" and kind == "number":
            return numbers_equal(self.record.text(value).decode(), literal)
        return have == kind and kind != "number"

    def value(self, node, path):
        """A Value, or None for null (and for what is malformed: the check has noted it)."""
        if node.kind in ("object", "array"):
            if not node.closed:
                return None
            self.check.whole(node)
            if self.check.defects.first is not None:
                return None
            text, marks = minify(self.record, node)
            return Value(text, "json", node.start, node.end, marks, path)
        kind = self.check.scalar(node)
        if kind is None or kind == "null":
            return None
        if kind == "string":
            text, bad, marks = unescape(self.record.raw[node.start + 1:node.end - 1], node.start + 1)
            return None if bad is not None else Value(text, "string", node.start, node.end, marks, path)
        return Value(self.record.text(node).decode(), kind, node.start, node.end, [], path)

    def read(self, path, separator):
        values = [self.value(node, path) for node in self.nodes(path)]
        values = [v for v in values if v is not None]
        if not values:
            return None
        if not path.multi:
            return values[0]
        if len(values) == 1:
            return values[0]  # a list of one is that value
        marks = [mark for v in values for mark in v.marks]
        joined = Value(separator.join(v.text for v in values), "list", values[0].start, values[-1].end, marks, path)
        return joined

    def look_at_all(self, job):
        """Every value that a path selects is checked, whether the row needs it or not."""
        for path in job.identity_paths:
            if path.namespace is not None:
                self.namespace_id(path, "all")
            else:
                self.read(path, "")
        for column in job.columns:
            for path in column.paths:
                self.read(path, "")

    # --- identity

    def identity(self, job):
        """A Value or None."""
        for path in job.identity_paths:
            if path.namespace is not None:
                value = self.namespace_id(path, job.multiple)
            else:
                values = [self.value(node, path) for node in self.nodes(path)]
                values = [v for v in values if v is not None]
                if len(values) > 1:
                    raise Ambiguous("an identity path that selects several values")
                value = values[0] if values and values[0].kind != "json" and values[0].text != "" else None
            if value is not None:
                return value
        return None

    def namespace_id(self, path, multiple):
        if self.record.root.kind != "object":
            return None
        first = None
        for identity_map in self.named(self.record.root, "identityMap"):
            if identity_map.kind != "object":
                continue
            for namespace in self.named(identity_map, path.namespace, True):
                if namespace.kind != "array":
                    continue
                for entry in self.check.enter(namespace):
                    if entry.kind != "object":
                        continue
                    ids = self.named(entry, "id")
                    if multiple == "all":
                        self.is_primary(entry)
                    if not ids or ids[-1].kind in ("object", "array", "unclosed"):
                        continue
                    value = self.value(ids[-1], path)
                    if value is None or value.text == "":
                        continue
                    if multiple == "first":
                        return value
                    if self.is_primary(entry) and multiple == "primary":
                        return value
                    if first is None:
                        first = value
        return first

    def is_primary(self, entry):
        primary = self.named(entry, "primary")
        return bool(primary) and primary[-1].kind in ("scalar", "string") and self.check.scalar(primary[-1]) == "true"


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


# --------------------------------------------------------------------------------------------------------- values

DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
TIME = re.compile(DATE + r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?)?",
                  re.ASCII)
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_before(year):
    """Days from 0000-01-01 to the first of January of `year` (proleptic Gregorian, years 0 to 10000)."""
    earlier = year - 1
    return 0 if year == 0 else year * 365 + earlier // 4 - earlier // 100 + earlier // 400 + 1


EPOCH = days_before(1970)
SECONDS_MIN = -EPOCH * 86400
SECONDS_MAX = (days_before(10000) - EPOCH) * 86400 - 1


def seconds_of_text(text):
    found = TIME.fullmatch(text)
    if not found:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    if not 1 <= month <= 12:
        return None
    last_day = MONTHS[month - 1] + (1 if month == 2 and leap(year) else 0)
    if not 1 <= day <= last_day:
        return None
    days = days_before(year) + sum(MONTHS[:month - 1]) + (1 if month > 2 and leap(year) else 0) + day - 1
    seconds = (days - EPOCH) * 86400
    if found[4] is not None:
        hour, minute, second = int(found[4]), int(found[5]), int(found[6])
        if hour > 23 or minute > 59 or second > 60:
            return None
        if second == 60:
            # RFC 3339, 5.7: leap seconds stand at the end of a month, UTC
            if found[7] and found[8] + found[9] != "0000":
                raise Ambiguous("leap second in a zone other than UTC")
            if (hour, minute, day) != (23, 59, last_day):
                return None
            second = 59
        seconds += hour * 3600 + minute * 60 + second
        if found[7]:
            shift_hours, shift_minutes = int(found[8]), int(found[9])
            if shift_hours > 23 or shift_minutes > 59:
                return None
            shift = shift_hours * 3600 + shift_minutes * 60
            seconds += -shift if found[7] == "+" else shift
    return seconds if SECONDS_MIN <= seconds <= SECONDS_MAX else None


def seconds_of_number(token):
    if len(token) > 400 or re.search("[eE][+-]?[0-9]{4}", token):
        raise Ambiguous("a very long number as time")
    seconds = Fraction(token) // 1000
    return seconds if SECONDS_MIN <= seconds <= SECONDS_MAX else None


def time_text(seconds, date_only):
    days, rest = divmod(seconds, 86400)
    days += EPOCH
    year = days // 366
    while days_before(year + 1) <= days:
        year += 1
    day = days - days_before(year)
    month = 0
    while True:
        length = MONTHS[month] + (1 if month == 1 and leap(year) else 0)
        if day < length:
            break
        day -= length
        month += 1
    text = f"{year:04d}-{month + 1:02d}-{day + 1:02d}"
    if not date_only:
        text += f" {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return text


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


class Converter:
    def __init__(self, job):
        self.job = job
        self.all_paths = [(p, 0, True) for p in job.identity_paths]
        self.all_paths += [(p, 0, False) for c in job.columns for p in c.paths]

    def spellings(self, texts):
        """All paths of the job that select the same as one of these: a reject line may name any of them."""
        paths = [path for path, _, _ in self.all_paths]
        parts = [path.parts for path in paths if path.text in texts]
        return {path.text for path in paths if path.parts in parts}

    # --- one record: ("failed", code, paths) | ("skipped", reason) | ("row", cells, changes); and duplicates (low, high)

    def record(self, raw, line_length):
        if len(raw) > self.job.max_record:
            if not valid_utf8(raw):
                raise Ambiguous("too large and not UTF-8")
            return ("failed", "too_large", {""}), (False, False)
        if line_length > self.job.max_record:
            raise Ambiguous("too large only with its blanks")
        if not valid_utf8(raw):
            return ("failed", "utf8", {""}), (False, False)
        outcomes = {}
        high = False
        for unclosed in [READINGS["unclosed"]] if READINGS["unclosed"] else ["end", "open"]:
            for enter in [READINGS["enter"]] if READINGS["enter"] else ["needed", "reached"]:
                code, duplicates = self.parse_code(raw, unclosed, enter)
                outcomes[(unclosed, enter)] = code
                high |= duplicates
        if len(set(outcomes.values())) > 1:
            raise Ambiguous("parse defect: " + " or ".join(sorted(str(c) for c in set(outcomes.values()))))
        code = next(iter(outcomes.values()))
        if code is not None:
            return ("failed", code, {""}), (False, high)
        record = Record(raw, self.job.max_depth, "end")
        check = Check(record)
        result = self.row(Selection(record, check))
        return result, (check.duplicates and result[0] == "row", high or check.duplicates)

    def parse_code(self, raw, unclosed, enter):
        if raw[:1] != b"{":
            return self.root_code(raw), False
        record = Record(raw, self.job.max_depth, unclosed)
        check = Check(record)
        if enter == "reached":
            check.reach(record.root, self.all_paths)
            check.enter(record.root)
        else:
            check.enter(record.root)
            selection = Selection(record, check)
            try:
                selection.look_at_all(self.job)
                self.row(selection)
            except Ambiguous as question:
                if "compared" in str(question) or (record.defects.first is None and check.defects.first is None):
                    raise  # otherwise a defect of the syntax goes before what the question is about
        first = Defects()
        for defect in (check.defects.first, record.defects.first):
            if defect is not None:
                first.add(*defect)
        return (first.first[1] if first.first else None), check.duplicates

    def root_code(self, raw):
        if raw[:1] == b"[":
            return "not_an_object"
        token = re.match(rb'[^ \t\r\n{}\[\]:,"]*', raw).group()
        if raw[:1] != b'"' and (token in (b"true", b"false", b"null") or NUMBER.match(token)):
            return "not_an_object"
        if raw[:1] == b'"':
            return "not_an_object"  # whatever follows stands behind the first byte
        if READINGS["root_junk"] is None:
            raise Ambiguous("a record that begins with no JSON value")
        return READINGS["root_junk"]

    def row(self, selection):
        job = self.job
        if job.identity_column is not None:
            identity = selection.identity(job)
            if identity is None:
                if job.missing == "skip":
                    return ("skipped", "identity")
                return ("failed", "missing_identity", {""} | {p.text for p in job.identity_paths})
            early = []
            self.text_cell(identity, identity.text, True, early)
            if early and READINGS["identity_value"] == "identity":
                early.sort(key=lambda d: d[0])
                return ("failed", early[0][2], self.spellings({identity.path.text}))
        read = []
        for column in job.columns:
            value = None
            for path in column.paths:
                value = selection.read(path, job.separator)
                if value is not None:
                    break
            read.append(value)
        for column, value in zip(job.columns, read):
            if column.required and not self.has_value(column, value):
                return ("skipped", "required")
        defects = []  # (first position, last position, code, path text)
        cells = []
        if job.identity_column is not None:
            cells.append(self.text_cell(identity, identity.text, identity.kind == "string", defects))
            if cells[-1].text == "":
                raise Ambiguous("identity empty once NULs are dropped")
        for column, value in zip(job.columns, read):
            cells.append(self.column_cell(column, value, defects))
        if defects:
            defects.sort(key=lambda d: d[0])
            start, end, code, _ = defects[0]
            for other in defects[1:]:
                if other[0] <= end and other[2] != code:
                    raise Ambiguous("two value defects at one place")
            return ("failed", code, self.spellings({d[3] for d in defects if d[0] <= end}))
        return ("row", cells)

    def has_value(self, column, value):
        if column.constant is not None:
            return column.constant != ""
        if value is None:
            return column.default is not None and column.default != ""
        if value.text == "" or ("trim" in column.transform and value.text.strip(" \t\r\n") == ""):
            return False  # what would be written is empty
        if self.job.null_drop and value.text.replace("\0", "") == "":
            raise Ambiguous("required and empty once NULs are dropped")
        return True

    def marks(self, value, defects):
        for position, code in value.marks:
            if code == "lone_surrogate" or not self.job.null_drop:
                defects.append((position, position, code, value.path.text))
        return any(code == "lone_surrogate" for _, code in value.marks)

    def column_cell(self, column, value, defects):
        if column.constant is not None:
            return Cell(column.constant)
        if value is None:
            return Cell(column.default) if column.default is not None else Cell(self.job.null, True)
        if column.type is not None:
            return self.time_cell(column, value, defects)
        if self.marks(value, defects):
            return Cell("")
        text = transformed(value.text, column.transform, value.kind in ("string", "list"))
        if text is None:
            return Cell(self.job.null, True)
        return self.changed(text, value.kind not in ("number", "true", "false"))

    def time_cell(self, column, value, defects):
        if value.marks:
            raise Ambiguous("lone surrogate or NUL in a time")
        if value.kind == "number":
            seconds = seconds_of_number(value.text)
        else:
            text = transformed(value.text, column.transform, value.kind in ("string", "list"))
            if text is None or text == "":
                return Cell(self.job.null, True)
            seconds = seconds_of_text(text) if value.kind in ("string", "list") else None
        if seconds is None:
            defects.append((value.start, value.end, "bad_timestamp", value.path.text))
            return Cell("")
        return Cell(time_text(seconds, column.type == "date"))

    def text_cell(self, value, text, is_text, defects):
        if self.marks(value, defects):
            return Cell("x")
        return self.changed(text, is_text)

    def changed(self, text, is_text):
        changes = []
        if self.job.null_drop and "\0" in text:
            text = text.replace("\0", "")
            changes.append("null_character")
        if self.job.newline_space and ("\n" in text or "\r" in text):
            text = re.sub("\r\n|\r|\n", " ", text)
            changes.append("newline")
        if self.job.formula and is_text and text[:1] in ("=", "+", "-", "@", "\t", "\r") and text:
            text = "'" + text
            changes.append("formula")
        return Cell(text, False, changes)

    # --- rows

    def quoted(self, cell):
        text = cell.text
        job = self.job
        needs = job.quote_all or any(c in text for c in (job.delimiter, '"', "\r", "\n"))
        needs = needs or (not cell.null and job.null != "" and text == job.null)
        return '"' + text.replace('"', '""') + '"' if needs else text

    def line(self, cells):
        row = job_join(self.job.delimiter, [self.quoted(c) for c in cells])
        if len(cells) == 1 and row == "":
            row = '""'
        return (row + self.job.line_end).encode("utf-8")

    def header_line(self):
        names = [self.job.identity_column] if self.job.identity_column is not None else []
        return self.line([Cell(n) for n in names + [c.name for c in self.job.columns]])


def job_join(delimiter, cells):
    return delimiter.join(cells)


def valid_utf8(raw):
    try:
        raw.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


# ------------------------------------------------------------------------------------------------------------ runs


def lines_of(data):
    """(offset, raw without surrounding blanks, line number, bytes of the line) for each record."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    number = 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        raw = line.strip(BLANKS)
        if raw:
            yield start + len(line) - len(line.lstrip(BLANKS)), raw, number, len(line)
        start = end + 1


class Result:
    def __init__(self):
        self.status = 0
        self.files = {}
        self.rejects = []      # dicts as in the reject file; "paths": the acceptable path texts
        self.input = self.delivered = self.rows = self.failed = 0
        self.skipped = {}
        self.failed_by = {}
        self.changed = {"newline": 0, "null_character": 0, "formula": 0}
        self.duplicates_low = self.duplicates_high = 0
        self.input_bytes = 0


class Files:
    """Cuts rows into files by rows and bytes."""

    def __init__(self, job, header, run_time, run_id):
        self.job, self.header, self.run_time, self.run_id = job, header, run_time, run_id
        self.parts = []

    def add(self, row):
        job = self.job
        cut = not self.parts or self.parts[-1][0] >= job.max_rows
        if not cut and job.max_bytes is not None:
            cut = len(self.parts[-1][1]) + len(row) > job.max_bytes
        if cut:
            first = not self.parts
            with_header = job.header == "every" or (job.header == "first" and first)
            self.parts.append([0, bytearray(self.header if with_header else b"")])
        self.parts[-1][0] += 1
        self.parts[-1][1] += row

    def named(self):
        names = {}
        for number, (_, content) in enumerate(self.parts, 1):
            name = self.job.file_name
            for key, text in (("name", self.job.name), ("run_time", self.run_time), ("run_id", self.run_id),
                              ("part", f"{number:04d}")):
                name = name.replace("{" + key + "}", text)
            names[name] = bytes(content)
        return names


def over_budget(budget, failed, records):
    """For a share: judged at the end."""
    if budget.endswith("%"):
        return Fraction(failed) * 100 > Fraction(budget[:-1]) * records
    return failed > int(budget)


def convert(spec, sources, run_time="20261122T030000Z", run_id="0123456789abcdef"):
    """`sources`: [(name, bytes)]. Raises Ambiguous for the first record that is."""
    job = Job(spec)
    converter = Converter(job)
    files = Files(job, converter.header_line(), run_time, run_id)
    result = Result()
    absolute = not job.budget.endswith("%")
    for name, data in sorted(dict(sources).items(), key=lambda item: os.fsencode(item[0])):
        result.input_bytes += len(data)
        for offset, raw, number, line_length in lines_of(data):
            outcome, duplicates = converter.record(raw, line_length)
            result.input += 1
            result.duplicates_low += duplicates[0]
            result.duplicates_high += duplicates[1]
            if outcome[0] == "row":
                result.delivered += 1
                result.rows += 1
                for cell in outcome[1]:
                    for change in cell.changes:
                        result.changed[change] += 1
                files.add(converter.line(outcome[1]))
            elif outcome[0] == "skipped":
                result.skipped[outcome[1]] = result.skipped.get(outcome[1], 0) + 1
            else:
                result.failed += 1
                result.failed_by[outcome[1]] = result.failed_by.get(outcome[1], 0) + 1
                result.rejects.append({"source": name, "offset": offset, "length": len(raw), "line": number,
                                       "code": outcome[1], "paths": outcome[2],
                                       "raw": base64.b64encode(raw[:RAW_MAX]).decode()})
                if absolute and result.failed > int(job.budget):
                    result.status = 65
                    return result
    if result.input == 0 or over_budget(job.budget, result.failed, result.input):
        result.status = 65
        return result
    result.files = files.named()
    return result


def report_of(result, spec):
    return {"tool": "penstock", "version": "reference", "runId": "0123456789abcdef", "job": spec["name"], "mode": "full",
            "metrics": {
                "sizeSummary": {"inputBytes": result.input_bytes,
                                "outputBytes": sum(len(b) for b in result.files.values())},
                "recordSummary": {
                    "inputRecordCount": result.input, "deliveredRecordCount": result.delivered,
                    "outputRowCount": result.rows, "skippedRecordCount": sum(result.skipped.values()),
                    "skippedByReason": result.skipped, "failedRecordCount": result.failed,
                    "failedByReason": result.failed_by, "duplicateKeyRecordCount": result.duplicates_low,
                    "changedByReason": result.changed},
                "fileSummary": {"outputFileCount": len(result.files)},
                "statusSummary": {"status": "failed" if result.status else "success", "errors": []}},
            "files": []}


def main(arguments):
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as job_file:
        spec = json.load(job_file)
    sources = []
    for path in arguments[2:]:
        with open(path, "rb") as source:
            sources.append((path, source.read()))
    try:
        result = convert(spec, sources)
    except Ambiguous as question:
        print(f"reference: the contract is silent here: {question}", file=sys.stderr)
        return 70
    out = arguments[1]
    os.makedirs(out, exist_ok=True)
    for name, content in result.files.items():
        with open(os.path.join(out, name), "wb") as data_file:
            data_file.write(content)
    with open(os.path.join(out, "rejects.jsonl"), "w", encoding="utf-8") as rejects:
        for line in result.rejects:
            line = dict(line, path=sorted(line["paths"])[0])
            del line["paths"]
            rejects.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    with open(os.path.join(out, "report.json"), "w", encoding="utf-8") as report:
        json.dump(report_of(result, spec), report, indent=1)
    return result.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
