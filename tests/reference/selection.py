"""What paths select in a record."""
from . import identity
from .json_walk import minify, unescape
from .paths import numbers_equal, same_key
from .readings import Ambiguous


class Value:
    """What a path gave: text, where it stands, what is wrong inside ([(position, code)])."""

    __slots__ = ("text", "kind", "start", "end", "marks", "path")

    def __init__(self, text, kind, start, end, marks, path):
        self.text = text
        self.kind = kind  # string, number, true, false, json, list; mixed: a list with json in it
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
        kind = "mixed" if any(v.kind == "json" for v in values) else "list"
        return Value(separator.join(v.text for v in values), kind, values[0].start, values[-1].end, marks, path)

    def look_at_all(self, job):
        """Every value that a path selects is checked, whether the row needs it or not."""
        if job.segments is not None:
            job.segments.memberships(self)
        for path in job.identity_paths:
            if path.namespace is not None:
                identity.look_at_all(self, path)
            else:
                self.read(path, "")
        for path in [job.timestamp] if job.timestamp else []:
            self.read(path, "")
        for path in [rule.path for rule in job.consent] + [path for column in job.columns for path in column.paths]:
            self.read(path, "")
