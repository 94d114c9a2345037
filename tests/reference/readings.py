"""What the contract leaves open, and how it is read here."""

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
    # Under `segments`, a record whose bytes can't name a wanted id: True, it is skipped unparsed, broken or not (what
    # the contract says); False, it is parsed like any other; None, both agree or the record is Ambiguous.
    "prefilter": True,
    # `explode` and an id that stands (is written) twice in one record: "once", one row for it, at its first place; "each" entry.
    # None: such records are Ambiguous.
    "explode_repeated": "once",
    # An identity.timestamp that is no time: "fail", the record is bad_timestamp and contends for no key; "older", it
    # is as if it were missing. An empty string is null, as in a column of type timestamp.
    "bad_dedup_time": "fail",
    # The ids of `identities` (entities form) stand behind those of identityMap: "behind"; None: where both give
    # ids, the record is Ambiguous.
    "identities_order": "behind",
    # `changedByReason` counts the values of each row "written" (a row that goes to two streams twice, one that
    # explode makes again again).
    "changes": "written",
    # {segment_id} and {segment_name} in pega.path_prefix: "replaced" (else no manifest of a split delivery whose
    # destination.url has one could name its files) or "literal".
    "path_prefix": "replaced",
    # token.replace_extension: what goes are .gz or .zst and then the last extension ("last").
    "token_extension": "last",
}
# Readings that need no switch:
# - Parsing goes before `segments`: a value of any path of the job that is broken fails the record, member or not.
# - A membership without a status, or with one that is no text, is none. Statuses match byte for byte.
# - segmentMembership namespaces that differ in case only are joined; `xdm:` prefixes are looked through.
# - `deduplicate` is judged over all streams of a split run together: the losers go nowhere. A key is the id's text
#   as written, whatever its type (12 and "12" are one). The timestamp's fraction counts to the microsecond.
# - A record dropped by consent, required or its columns still beats an older one of the same key.
# - Consent compares the text of a scalar (true is `true`); an object or array is no consent, null is missing. Of
#   several values each that is not null must be allowed.
#   A lone surrogate or NUL in a compared value fails the record in that stage.
# - A namespace that is asked for ids (no path before it gave one) and is neither array nor null fails the record, with
#   `missing: skip`, too, and whatever the paths behind it and the namespaces joined with it would give. Entries that
#   are no objects, ids that are no scalars, and an identityMap or identities of a wrong type only give no id.
# - A column without a `name` is named by its path, `$.` left out, dots as underscores.
# - `files.empty: header` with `csv.header: none` writes an empty file.
# - A token's body is empty. `token.per: file` gives the manifest none.
# - outputRowCount counts the rows of all files (a split row for each stream).


class Ambiguous(Exception):
    """The contract leaves this case open; str() names the question."""


class BadPath(Exception):
    pass
