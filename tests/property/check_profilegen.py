#!/usr/bin/env python3
"""Checks the promises of datasets/profilegen with nothing but Python's own JSON parser.

Same seed, same bytes; a longer file begins with the shorter one; records are valid and 1,500 to 1,700 bytes long on
average; the truth file names exactly the lines that an independent reading of the README's contract calls broken,
at the right place and with the right reject code.

usage: check_profilegen.py PROFILEGEN [ROWS, 500 or more]     exit status: 0 all hold, 1 one does not, 2 usage
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

WANTED = "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae"
BLANKS = b" \t\r\n"
MAX_DEPTH = 1024
# The paths of datasets/demo.job.yaml that select scalars: "used" values, in the contract's sense.
USED = [
    "person.name.firstName", "person.name.lastName", "personalEmail.address", "mobilePhone.number",
    "homeAddress.street1", "homeAddress.city", "homeAddress.postalCode", "homeAddress.countryCode",
    "_acme.loyalty.tier", "_acme.loyalty.points", "_acme.churnScore", "_acme.lifetimeValue",
    "_acme.preferredStore", "consents.marketing.email.val", "_repo.modifyDate",
]
KINDS = {
    "missing_comma", "missing_colon", "unclosed_string", "truncated_object", "garbage_line", "trailing_content",
    "two_objects", "array_line", "scalar_line", "invalid_utf8", "control_character", "lone_surrogate",
    "null_character", "too_deep", "missing_identity", "bad_literal", "bad_number", "bad_escape", "bracket_mismatch",
}

# SHA-256 of what these options write: other compilers and machines must write it too. A change of the generator that
# changes its bytes on purpose changes these lines (and what was measured with the old ones can't be compared).
PINNED = [
    ("581c6ec092ffb7f7d53cc9ced9d62e44dc92bd0f46e8a99d34ecc42d9a3ffa91",
     ["--rows", "2000", "--seed", "1"]),
    ("c0066dad4aa2b25530b25c2000555002d027a16e4f26d8005d6929a997c1a401",
     ["--rows", "2000", "--seed", "42", "--irregular", "0.1", "--nasty", "0.3"]),
]

sys.setrecursionlimit(20000)  # json.loads() descends one frame a level; the deepest record has some 3,000


def fail(message):
    sys.exit("check_profilegen: " + message)


def run(program, *options, status=0):
    done = subprocess.run([program, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != status:
        fail("%r ended with %d, not %d: %s" % (options, done.returncode, status, done.stderr.decode()))
    if (status == 0) != (done.stderr == b""):
        fail("%r: standard error is %r" % (options, done.stderr))
    return done.stdout


def no_constant(token):
    raise ValueError(token + " is no JSON")


DECODER = json.JSONDecoder(parse_constant=no_constant)


def string_open_at_end(text):
    is_open = False
    at = 0
    while at < len(text):
        if is_open and text[at] == "\\":
            at += 1
        elif text[at] == '"':
            is_open = not is_open
        at += 1
    return is_open


def depth(value):
    """Levels of objects and arrays, without recursion."""
    deepest = 0
    pending = [(value, 1)]
    while pending:
        item, level = pending.pop()
        if isinstance(item, (dict, list)):
            deepest = max(deepest, level)
            pending.extend((child, level + 1) for child in (item.values() if isinstance(item, dict) else item))
    return deepest


def member(value, name):
    """The member of an object, the exact key before the one with the prefix xdm: (contract, "Paths")."""
    if not isinstance(value, dict):
        return None
    return value[name] if name in value else value.get("xdm:" + name)


def at_path(record, path):
    for name in path.split("."):
        record = member(record, name)
    return record


def identity(record):
    entries = []
    for namespace, value in (member(record, "identityMap") or {}).items():
        if namespace.lower() == "customerid" and isinstance(value, list):
            entries += value
    return [member(entry, "id") for entry in entries if member(entry, "id")]


def judge(raw):
    """The reject code of one line without its blanks, None for a good record."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "utf8"
    try:
        record, end = DECODER.raw_decode(text)
    except ValueError:
        return "unclosed_string" if string_open_at_end(text) else "syntax"
    if not isinstance(record, dict):
        return "not_an_object"
    if depth(record) > MAX_DEPTH:
        return "depth"
    if end != len(text):
        return "trailing_content"
    if not identity(record):
        return "missing_identity"
    for path in USED:
        value = at_path(record, path)
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            return "lone_surrogate"
        if isinstance(value, str) and "\0" in value:
            return "null_character"
    return None


def judged(data):
    """What the truth file should say, kinds left out."""
    truth = []
    offset = record = 0
    lines = data.split(b"\n")
    if lines.pop() != b"":
        fail("the last line has no end")
    for number, line in enumerate(lines, 1):
        raw = line.strip(BLANKS)
        if raw:
            record += 1
            code = judge(raw)
            if code:
                truth.append({"record": record, "line": number, "code": code, "length": len(raw),
                              "offset": offset + len(line) - len(line.lstrip(BLANKS))})
        offset += len(line) + 1
    return record, truth


def check_plain(program, rows):
    data = run(program, "--rows", str(rows))
    if data != run(program, "--rows=%d" % rows, "--seed", "1"):
        fail("seed 1 twice gives two files")
    if data == run(program, "--rows", str(rows), "--seed", "2"):
        fail("seeds 1 and 2 give the same file")
    if not data.startswith(run(program, "--rows", str(rows // 3))):
        fail("a longer file does not begin with the shorter one")
    records = [json.loads(line, parse_constant=no_constant) for line in data.decode("utf-8").splitlines()]
    if len(records) != rows or data.count(b"\n") != rows:
        fail("%d records, not %d" % (len(records), rows))
    mean = len(data) / rows
    if not 1500 <= mean <= 1700:
        fail("%.0f bytes a record on average" % mean)
    if any(judge(line) for line in data.splitlines()):
        fail("a record without --nasty is broken")
    if len({identity(record)[0] for record in records}) != rows:
        fail("a customer id comes twice")
    check_statistics(records)
    return mean


def check_pinned(program):
    for digest, options in PINNED:
        found = hashlib.sha256(run(program, *options)).hexdigest()
        if found != digest:
            fail("%s writes bytes with the digest %s, not %s" % (" ".join(options), found, digest))


def check_statistics(records):
    def share(condition):
        return sum(map(bool, map(condition, records))) / len(records)

    def memberships(record):
        return record["segmentMembership"]["ups"]

    expected = [
        ("members of the wanted segment", 1 / 17,
         lambda r: memberships(r).get(WANTED, {}).get("status") in ("realized", "existing")),
        ("line break in the street", 0.11, lambda r: "\n" in str(at_path(r, "homeAddress.street1"))),
    ]
    for name, wanted, condition in expected:
        if len(records) >= 5000 and abs(share(condition) - wanted) > 0.02:
            fail("%s: %.3f of the records, not %.3f" % (name, share(condition), wanted))
    if not all(1 <= len(memberships(record)) <= 6 for record in records):
        fail("not 1 to 6 memberships")
    for path in USED:
        if not any(at_path(record, path) not in (None, "") for record in records):
            fail(path + " never has a value")


def check_nasty(program, rows, directory):
    truth_path = os.path.join(directory, "truth")
    options = ["--rows", str(rows), "--seed", "7", "--nasty", "0.25", "--truth", truth_path]
    data = run(program, *options)
    with open(truth_path, "rb") as file:
        first = file.read()
    told = [json.loads(line) for line in first.splitlines()]
    if data != run(program, *options):
        fail("--nasty: the same seed twice gives two files")
    with open(truth_path, "rb") as file:
        if file.read() != first:
            fail("--nasty: the same seed twice gives two truth files")
    if not data.startswith(run(program, "--rows", str(rows // 3), "--seed", "7", "--nasty", "0.25")):
        fail("--nasty: a longer file does not begin with the shorter one")
    records, truth = judged(data)
    if records != rows:
        fail("--nasty: %d records, not %d" % (records, rows))
    kinds = {line.pop("kind") for line in told}
    if rows >= 2000 and kinds != KINDS:
        fail("kinds that did not come, or are new: %s" % (kinds ^ KINDS))
    for mine, theirs in zip(truth, told):
        if mine != theirs:
            fail("truth differs: I see %r, it says %r" % (mine, theirs))
    if len(truth) != len(told):
        fail("I see %d broken records, the truth file has %d" % (len(truth), len(told)))
    return len(truth)


def check_irregular(program, rows):
    data = run(program, "--rows", str(rows), "--irregular", "0.1")
    if judged(data) != (rows, []):
        fail("--irregular breaks records")
    full = len(run(program, "--rows", str(rows)))
    if not 0.6 * full < len(data) < 0.95 * full:
        fail("--irregular 0.1 leaves %d of %d bytes" % (len(data), full))
    bare = json.loads(run(program, "--rows", "1", "--irregular", "1"))
    if list(bare) != ["identityMap"] or not identity(bare):
        fail("--irregular 1 leaves %r" % bare)


def check_duplicates(program, rows):
    """The share of records whose customer came before; all else is as without --duplicates."""
    lines = run(program, "--rows", str(rows), "--duplicates", "0.3").splitlines()
    plain = [json.loads(line) for line in run(program, "--rows", str(rows)).splitlines()]
    records = [json.loads(line) for line in lines]
    if judged(b"\n".join(lines) + b"\n") != (rows, []):
        fail("--duplicates breaks records")
    seen = set()
    repeated = 0
    for record, other in zip(records, plain):
        ids = identity(record)
        repeated += ids[0] in seen
        if ids[0] not in seen and ids != identity(other):
            fail("--duplicates changes the id of a record that repeats none")
        seen.add(ids[0])
        for made_of_id in ("identityMap", "personalEmail"):
            record.pop(made_of_id, None)
            other.pop(made_of_id, None)
        if record != other:
            fail("--duplicates changes more than ids and the addresses made of them")
    if abs(repeated / rows - 0.3) > 0.05:
        fail("--duplicates 0.3 repeats %d of %d" % (repeated, rows))
    if lines[:rows // 3] != run(program, "--rows", str(rows // 3), "--duplicates", "0.3").splitlines():
        fail("--duplicates: a longer file does not begin with the shorter one")


def check_options(program, directory):
    if run(program, "--rows", "0") != b"":
        fail("--rows 0 writes something")
    for option in (["--rows", "-1"], ["--rows", "1x"], ["--rows"], ["--row", "1"], ["x"], ["--nasty", "1.1"],
                   ["--nasty", "0x1"], ["--nasty", ""], ["--nasty", "."], ["--seed", "18446744073709551616"],
                   ["--out", ""], ["--irregular", "1e-1"], ["--duplicates", "2"], ["--irregular", "nan"]):
        run(program, *option, status=2)
    path = os.path.join(directory, "out")
    run(program, "--out", path, "--truth", path, status=2)
    run(program, "--out", os.path.join(directory, "none", "out"), status=74)
    if os.path.exists("/dev/full"):
        run(program, "--out", "/dev/full", status=74)
    if run(program, "--out", path, "--rows", "5") != b"":
        fail("--out writes to standard output too")
    with open(path, "rb") as file:
        if file.read() != run(program, "--rows", "5"):
            fail("--out writes other bytes than standard output")
    if b"--truth" not in run(program, "--help"):
        fail("--help does not name --truth")


def main():
    rows = (sys.argv[2:] or ["6000"])[0]
    if len(sys.argv) not in (2, 3) or not rows.isdigit() or int(rows) < 500:
        print(__doc__.strip().splitlines()[-1], file=sys.stderr)
        return 2
    program = os.path.abspath(sys.argv[1])
    rows = int(rows)
    with tempfile.TemporaryDirectory() as directory:
        check_pinned(program)
        mean = check_plain(program, rows)
        broken = check_nasty(program, rows, directory)
        check_irregular(program, max(rows // 4, 1))
        check_duplicates(program, rows)
        check_options(program, directory)
    print("profilegen: %d records of %.0f bytes, %d broken ones as the truth file says" % (rows, mean, broken))
    return 0


if __name__ == "__main__":
    sys.exit(main())
