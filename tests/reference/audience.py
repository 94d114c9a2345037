"""Who goes out: members of segments, whose consent is given; and which of several records with one key."""
from .json_walk import unescape
from .paths import Path

SHORT_ESCAPES = '"\\/\b\f\n\r\t'


class SegmentPath(Path):
    """segmentMembership.NAMESPACE['ID'].status; the namespace matches without regard to case."""

    def __init__(self, namespace, segment):
        self.text = f"segmentMembership.{namespace}['{segment}'].status"
        self.parts = [("name", "segmentMembership"), ("name", namespace), ("name", segment), ("name", "status")]
        self.multi = False
        self.namespace = None

    def folds(self, index):
        return index == 1


class Segments:
    """The job's section; `paths` are in the order of `ids`, which numbers the streams of a split run."""

    def __init__(self, spec):
        self.ids = spec["ids"]
        self.names = spec.get("names", {})
        self.statuses = spec.get("statuses", ["realized", "existing"])
        self.split = spec.get("split", False)
        self.paths = [SegmentPath(spec.get("namespace", "ups"), segment) for segment in self.ids]

    def can_be_named(self, raw):
        """False when these bytes can't spell any of the ids, escapes considered."""
        return any(segment.encode() in raw or b"\\u" in raw
                   or (b"\\" in raw and any(c in SHORT_ESCAPES for c in segment)) for segment in self.ids)

    def memberships(self, selection):
        """(numbers of the segments whose member the record is, [(position, code, path)] of bad compared texts)."""
        members = []
        defects = []
        for number, path in enumerate(self.paths):
            statuses = []
            for node in status_nodes(selection, path):
                if node.kind != "string":
                    if node.kind == "scalar":
                        selection.check.scalar(node)
                    continue
                text, bad, marks = unescape(selection.record.raw[node.start + 1:node.end - 1], node.start + 1)
                selection.check.scalar(node)
                if bad is None:
                    statuses.append(text)
                    defects += [(position, code, path.text) for position, code in marks]
            if any(status in self.statuses for status in statuses):
                members.append(number)
        return members, defects


def status_nodes(selection, path):
    """All status values of a segment: several where namespaces differ in case only."""
    current = [selection.record.root]
    for index, part in enumerate(path.parts):
        current = [found for node in current if node.kind == "object"
                   for found in selection.named(node, part[1], path.folds(index))]
    return current


class ConsentRule:
    def __init__(self, spec):
        self.path = Path(spec["path"])
        self.allow = spec["allow"]
        self.missing = spec.get("missing", "deny")

    def given(self, selection, defects):
        """Whether consent is given; what is wrong with the compared text is added to `defects`."""
        values = [selection.value(node, self.path) for node in selection.nodes(self.path)]
        values = [v for v in values if v is not None]
        if not values:
            return self.missing == "allow"
        scalars = [v for v in values if v.kind != "json"]
        defects += [(position, code, self.path.text) for v in scalars for position, code in v.marks]
        return len(scalars) == len(values) and all(v.text in self.allow for v in scalars)


def winners(contenders):
    """{key: place} of the latest of each key. `contenders`: [(place, time or None, keys)], places ascending."""
    best = {}
    for place, time, keys in contenders:
        rank = (time is not None, time if time is not None else 0, place)
        for key in keys:
            if key not in best or rank > best[key]:
                best[key] = rank
    return {key: rank[2] for key, rank in best.items()}
