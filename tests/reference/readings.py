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
}


class Ambiguous(Exception):
    """The contract leaves this case open; str() names the question."""


class BadPath(Exception):
    pass
