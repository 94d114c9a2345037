"""The same records in other containers: what bench/inputs reads in turn. Python's standard library only."""
import re

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.S)


def pretty(record, indent=b"  "):
    """The record's own tokens, one member or element a line; empty containers stay on theirs."""
    out, depth, last = bytearray(), 0, b""
    for token in TOKEN.findall(record):
        if token in (b"}", b"]"):
            depth -= 1
            if last not in (b"{", b"["):
                out += b"\n" + indent * depth
        elif last in (b"{", b"[", b","):
            out += b"\n" + indent * depth
        out += token
        if token in (b"{", b"["):
            depth += 1
        if token == b":":
            out += b" "
        last = token
    return bytes(out)


def write_repeated(path, records, times):
    """NDJSON: the records again and again."""
    text = b"".join(record + b"\n" for record in records)
    with open(path, "wb") as out:
        for _ in range(times):
            out.write(text)


def write_array(path, records, times):
    """One array on one line, without a blank."""
    text = b",".join(records)
    with open(path, "wb") as out:
        out.write(b"[")
        for turn in range(times):
            out.write(b"," * (turn > 0) + text)
        out.write(b"]")


def write_pretty(path, records, times):
    """Concatenated texts, pretty-printed."""
    text = b"".join(pretty(record) + b"\n" for record in records)
    with open(path, "wb") as out:
        for _ in range(times):
            out.write(text)
