"""What `penstock inspect --json` must say of a dump, by Python's own JSON parser: slow, plain, and without anything of
the C code. Distinct values are counted exactly here; the C code estimates them."""
import itertools
import json
import re

KEYS_MAX, KEY_MAX, DEPTH_MAX = 512, 256, 32
SPARSE_KEYS, SPARSE_SHARE = 100, 100
EXAMPLE = 60
EACH = ("*",)  # the part of a path for all elements, or for all members of a map; keys are texts
BARE = re.compile(r"[A-Za-z0-9_\-:\x80-\U0010ffff]+\Z")
TYPES = ["string", "number", "boolean", "null", "object", "array"]


class Number(str):
    """A number by its characters."""


class Members(list):
    """An object: its members in their order, a key twice stays twice."""


def refuse(word):
    raise ValueError(word)


def text(value):
    """As bytes; what is half of a pair of surrogates becomes U+FFFD."""
    return "".join("\ufffd" if 0xd800 <= ord(c) < 0xe000 else c for c in value).encode()


def parse(line):
    """The record of a line, None when it is not good."""
    try:
        record = json.loads(line.decode("utf-8"), parse_int=Number, parse_float=Number, parse_constant=refuse,
                            object_pairs_hook=Members)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, Members) and depth(record) <= 1024 else None


def depth(value):
    deepest, stack = 0, [(value, 1)]
    while stack:
        now, level = stack.pop()
        deepest = max(deepest, level)
        for inner in ([v for _, v in now] if isinstance(now, Members) else now):
            if isinstance(inner, list):
                stack.append((inner, level + 1))
    return deepest


def bare(key):
    return key[4:] if len(key) > 4 and key.startswith("xdm:") else key


def is_known_map(path):
    """segmentMembership and its namespaces, identityMap, idSpecific and its namespaces."""
    names = [part if part is EACH else bare(part) for part in path]
    return names in (["segmentMembership"], ["segmentMembership", EACH], ["identityMap"]) or \
        names[-1:] == ["idSpecific"] or names[-2:] == ["idSpecific", EACH]


class Path:
    def __init__(self):
        self.records = set()
        self.types = dict.fromkeys(TYPES, 0)
        self.texts = set()
        self.longest = 0
        self.example = None
        self.keys = {}  # of its members: in how many records with a value that is not null


def type_of(value):
    if isinstance(value, Members):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, Number):
        return "number"
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "boolean"


class Catalogue:
    """All paths of some records, with the objects `folded` taken as maps."""

    def __init__(self, records, folded):
        self.folded = folded
        self.paths = {}
        for number, record in enumerate(records):
            self.add(record, (), number)

    def is_map(self, path):
        return is_known_map(path) or path in self.folded

    def add(self, value, path, record):
        here = self.paths.setdefault(path, Path())
        kind = type_of(value)
        here.types[kind] += 1
        if kind != "null":
            here.records.add(record)
        if kind in ("string", "number", "boolean"):
            shown = {True: b"true", False: b"false"}[value] if kind == "boolean" else text(value)
            here.texts.add(shown)
            here.longest = max(here.longest, len(shown))
            if here.example is None and shown:
                here.example = shown
        if kind == "array" and len(path) < DEPTH_MAX:
            for element in value:
                self.add(element, path + (EACH,), record)
        if kind == "object" and len(path) < DEPTH_MAX:
            for key, inner in value:
                if not self.is_map(path):
                    here.keys.setdefault(key_of(key), set()).update([record] if inner is not None else [])
                self.add(inner, path + (EACH if self.is_map(path) else key_of(key),), record)

    def too_wide(self):
        return {path for path, here in self.paths.items()
                if len(here.keys) > KEYS_MAX or any(len(key.encode()) > KEY_MAX for key in here.keys)}

    def sparse(self):
        """The first one of a way down: what lies below it is judged when it is folded."""
        for path in sorted(self.paths, key=len):
            here = self.paths[path]
            members = sum(len(records) for records in here.keys.values())
            if path and len(here.keys) > SPARSE_KEYS and \
                    members * SPARSE_SHARE < len(here.keys) * len(here.records):
                return {path}
        return set()


def key_of(key):
    return text(key).decode()


def in_order(paths):
    """Depth first, children as they were first met: dictionaries keep that order."""
    below = {}
    for path in paths:
        if path:
            below.setdefault(path[:-1], []).append(path)
    out, stack = [], list(reversed(below.get((), [])))
    while stack:
        path = stack.pop()
        out.append(path)
        stack += reversed(below.get(path, []))
    return out


def path_text(path):
    out = ""
    for part in path:
        if part is EACH:
            out += "[*]"
        elif BARE.match(part):
            out += ("." if out else "") + part
        else:
            out += "['" + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x20 else "\\" + c if c in "'\\" else c
                                  for c in part) + "']"
    return out


def lower(name):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)


def member_values(value, name):
    return [inner for key, inner in value if bare(key) == name] if isinstance(value, Members) else []


def an_id(entry):
    """The id that counts, b"" for none."""
    ids = [value for value in member_values(entry, "id") if isinstance(value, str)]
    return text(ids[-1]) if ids else b""


def is_primary(entry):
    flags = [isinstance(value, bool) and value for value in member_values(entry, "primary")
             if isinstance(value, (bool, Number))]
    return bool(flags and flags[-1])


def codes(entry):
    return [code for space in member_values(entry, "namespace") for code in member_values(space, "code")
            if isinstance(code, str) and not isinstance(code, Number)]


def spaces_of(records):
    found = {}

    def count(name, entry, number):
        if not an_id(entry):
            return
        space = found.setdefault(lower(name), {"namespace": name, "records": set(), "ids": 0, "primary": 0,
                                               "distinct": set()})
        space["records"].add(number)
        space["ids"] += 1
        space["primary"] += is_primary(entry)
        space["distinct"].add(an_id(entry))

    for number, record in enumerate(records):
        for key, value in record:
            if bare(key) == "identityMap" and isinstance(value, Members):
                for name, entries in value:
                    if isinstance(entries, list) and not isinstance(entries, Members):
                        for entry in entries:
                            if isinstance(entry, Members):
                                count(key_of(name), entry, number)
            if bare(key) == "identities" and isinstance(value, list) and not isinstance(value, Members):
                for entry in value:
                    if isinstance(entry, Members) and codes(entry):
                        count(key_of(codes(entry)[-1]), entry, number)
    return found


def segments_of(records):
    found = {}
    for record in records:
        for membership in member_values(record, "segmentMembership"):
            for name, members in membership if isinstance(membership, Members) else []:
                for key, member in members if isinstance(members, Members) else []:
                    states = [s for s in member_values(member, "status")
                              if isinstance(s, str) and not isinstance(s, Number)]
                    segment = found.setdefault((lower(key_of(name)), key_of(key)), {
                        "namespace": key_of(name), "id": key_of(key), "realized": 0, "existing": 0, "exited": 0,
                        "other": 0})
                    last = states[-1] if states else "other"
                    segment[last if last in ("realized", "existing", "exited") else "other"] += 1
    return found


def lines_of(data):
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    return [line for line in data.split(b"\n") if line.strip(b" \t\r")]


class Model:
    def __init__(self, dumps):
        lines = [line for data in dumps for line in lines_of(data)]
        parsed = [parse(line) for line in lines]
        self.records = [record for record in parsed if record is not None]
        self.failed = len(parsed) - len(self.records)
        folded = set()
        for more in (Catalogue.too_wide, Catalogue.sparse):
            while True:
                catalogue = Catalogue(self.records, folded)
                wider = more(catalogue)
                if not wider:
                    break
                folded |= wider
        self.catalogue, self.folded = catalogue, folded
        self.spaces, self.segments = spaces_of(self.records), segments_of(self.records)

    def is_loose(self, path):
        return any(path[:length] in self.folded for length in range(len(path)))

    def records_at(self, path):
        while self.is_loose(path):
            path = path[:-1]
        return len(self.catalogue.paths[path].records)


def is_near(estimate, exact, error_percent):
    """Within four standard errors, and two for small numbers' sake."""
    return abs(estimate - exact) <= 2 + exact * 4 * error_percent / 100


def shown(name):
    """A NUL of a namespace or an id is shown as its picture."""
    return name.replace("\0", "\u2400")


def differences(model, found):
    """What the program said otherwise than the model, as sentences."""
    out = []

    def same(what, is_value, expected):
        if is_value != expected:
            out.append(f"{what}: {is_value!r}, expected {expected!r}")

    error = found["distinctErrorPercent"]
    same("recordCount", found["recordCount"], len(model.records))
    same("failedRecordCount", found["failedRecordCount"], model.failed)
    paths = in_order(model.catalogue.paths)
    for mine, row in itertools.zip_longest((path_text(path) for path in paths), found["paths"]):
        if row is None or mine != row["path"]:
            out.append(f"path {row and row['path']!r}, expected {mine!r}")
            break
    if out:
        return out
    for path, row in zip(paths, found["paths"]):
        here, what = model.catalogue.paths[path], row["path"]
        same(f"{what}: records", row["records"], model.records_at(path))
        same(f"{what}: recordsExact", row["recordsExact"], not model.is_loose(path))
        same(f"{what}: types", row["types"], here.types)
        same(f"{what}: longestBytes", row["longestBytes"], here.longest)
        same(f"{what}: fillPercent", row["fillPercent"], round(100 * row["records"] / len(model.records), 4))
        same(f"{what}: exampleBytes", row.get("exampleBytes", 0), len(here.example or b""))
        same(f"{what}: example", row.get("example", ""),
             (here.example or b"")[:EXAMPLE].decode("utf-8", "ignore"))
        if not is_near(row["distinct"], len(here.texts), error):
            out.append(f"{what}: distinct {row['distinct']}, exactly {len(here.texts)}")
    spaces = {shown(name): space for name, space in model.spaces.items()}
    same("namespaces", {lower(row["namespace"]): (row["namespace"], row["records"], row["ids"], row["primaryIds"])
                        for row in found["identityNamespaces"]},
         {name: (shown(s["namespace"]), len(s["records"]), s["ids"], s["primary"]) for name, s in spaces.items()})
    for row in found["identityNamespaces"]:
        exact = len(spaces.get(lower(row["namespace"]), {"distinct": ()})["distinct"])
        if not is_near(row["distinctIds"], exact, error):
            out.append(f"{row['namespace']}: distinctIds {row['distinctIds']}, exactly {exact}")
    same("segments", {(lower(row["namespace"]), row["id"]): row for row in found["segments"]},
         {(shown(name), shown(key)): {**row, "namespace": shown(row["namespace"]), "id": shown(row["id"])}
          for (name, key), row in model.segments.items()})
    return out
