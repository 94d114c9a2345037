"""Which ids a record has: by paths, by identityMap namespaces, by the `identities` array of the entities form."""
from .paths import fold
from .json_walk import unescape
from .readings import READINGS, Ambiguous
from .values import id_key


class WrongType(Exception):
    """A namespace that is asked is no array; str() is its path."""


def ids_of(selection, job):
    """The Values of the ids that the job wants of this record: none, one, or with `explode` any number. May raise
    WrongType."""
    for path in job.identity_paths:
        if path.namespace is not None:
            check_types(selection, path)
            found = wanted(selection, path, job)
        else:
            values = [selection.value(node, path) for node in selection.nodes(path)]
            values = [v for v in values if v is not None]
            if len(values) > 1:
                raise Ambiguous("an identity path that selects several values")
            found = [v for v in values if v.kind != "json" and v.text != ""]
        if found:
            return found
    return []


def check_types(selection, path):
    """All namespaces that the path joins must be arrays, or null."""
    root = selection.record.root
    for identity_map in selection.named(root, "identityMap") if root.kind == "object" else []:
        for namespace in selection.named(identity_map, path.namespace, True) if identity_map.kind == "object" else []:
            if namespace.kind != "array" and (namespace.kind != "scalar" or selection.check.scalar(namespace) != "null"):
                raise WrongType(path.text)


def wanted(selection, path, job):
    multiple = job.multiple
    first = None
    all_ids = []
    keys = set()
    for value, entry in candidates(selection, path):
        if multiple == "first":
            return [value]
        if multiple == "primary" and is_primary(selection, entry):
            return [value]
        if first is None:
            first = value
        key = id_key(job, value)
        repeated = key in keys
        keys.add(key)
        if repeated and multiple == "explode" and READINGS["explode_repeated"] is None:
            raise Ambiguous("an id twice in one record, and explode")
        if not repeated or READINGS["explode_repeated"] == "each":
            all_ids.append(value)
    if multiple == "explode":
        return all_ids
    return [first] if first is not None else []


def look_at_all(selection, path):
    """All that `wanted` may look at."""
    for entry in entries(selection, path):
        is_primary(selection, entry)
        id_value(selection, entry, path)


def candidates(selection, path):
    """(Value, entry) of each id of the namespace, in order; lazily: what is not asked for is not looked at."""
    for entry in entries(selection, path):
        value = id_value(selection, entry, path)
        if value is not None:
            yield value, entry


def id_value(selection, entry, path):
    ids = selection.named(entry, "id")
    if not ids or ids[-1].kind in ("object", "array", "unclosed"):
        return None
    value = selection.value(ids[-1], path)
    return None if value is None or value.text == "" else value


def entries(selection, path):
    root = selection.record.root
    if root.kind != "object":
        return
    in_map = False
    for identity_map in selection.named(root, "identityMap"):
        if identity_map.kind != "object":
            continue
        for namespace in selection.named(identity_map, path.namespace, True):
            if namespace.kind != "array":
                continue
            for entry in selection.check.enter(namespace):
                if entry.kind == "object":
                    in_map = True
                    yield entry
    for entry in array_entries(selection, root, path):
        if in_map and READINGS["identities_order"] is None:
            raise Ambiguous("ids in identityMap and in identities")
        yield entry


def array_entries(selection, root, path):
    """The objects of `identities` whose namespace.code is the path's namespace."""
    for identities in selection.named(root, "identities"):
        if identities.kind != "array":
            continue
        for entry in selection.check.enter(identities):
            if entry.kind == "object" and fold(code_of(selection, entry) or "") == fold(path.namespace):
                yield entry


def code_of(selection, entry):
    for namespace in selection.named(entry, "namespace"):
        if namespace.kind != "object":
            continue
        for code in selection.named(namespace, "code"):
            if code.kind == "string":
                text, _, marks = unescape(selection.record.raw[code.start + 1:code.end - 1])
                selection.check.scalar(code)
                if marks:
                    raise Ambiguous("lone surrogate or NUL in a compared value")
                return text
    return None


def is_primary(selection, entry):
    primary = selection.named(entry, "primary")
    return (bool(primary) and primary[-1].kind in ("scalar", "string")
            and selection.check.scalar(primary[-1]) == "true")
