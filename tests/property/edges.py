#!/usr/bin/env python3
"""Edge test: records at the limits, and with what is odd in JSON, in every container, plain and compressed.

    edges.py BINARY [-v]

Each edge stands between two good records, alone and beside all others. Rows, rejects and counts are those that
reference/ gives for the records a line each, for one thread and many; --strict must take them, too. Standard library
only; zstd is its own tool.
"""
import argparse
import base64
import copy
import gzip
import json
import os
import subprocess
import sys
import tempfile

import common
import seams

MAX_RECORD, MAX_DEPTH = 4096, 20
SPEC = {"name": "edges", "identity": {"column": "CustomerID", "paths": ["id"]},
        "columns": [{"name": "A", "path": "a"}, {"name": "B", "path": "b.c"}], "rejects": {"max": 1000},
        "source": {"max_record": MAX_RECORD, "max_depth": MAX_DEPTH}}
WAYS = [["--threads", "1"], ["--threads", "3", "--shard-size", "100"],
        ["--threads", "2", "--shard-size", "3000", "--strict"]]


def deep(levels, key=b"z"):
    """A record of so many levels."""
    return b'{"id":"d","' + key + b'":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def long(length, front=b'{"id":"l","z":"', back=b'"}'):
    return front + b"x" * (length - len(front) - len(back)) + back


EDGES = {
    "max_depth": deep(MAX_DEPTH),
    "max_depth in a column": deep(MAX_DEPTH, b"a"),
    "beyond max_depth": deep(MAX_DEPTH + 1),
    "beyond max_depth in a column": deep(MAX_DEPTH + 1, b"a"),
    "far beyond max_depth": deep(30),
    "nearly max_record": long(MAX_RECORD - 200),
    "beyond max_record": long(MAX_RECORD + 1),
    "beyond max_record in a column": long(MAX_RECORD + 300, b'{"id":"l","a":"'),
    "far beyond max_record": long(5 * MAX_RECORD),
    "a key twice": b'{"id":"1","a":"no","a":"yes"}',
    "a key twice, the last null": b'{"id":"2","a":"no","a":null}',
    "a key twice inside": b'{"id":"3","b":{"c":1,"c":2}}',
    "an object twice": b'{"id":"4","b":{"c":1},"b":{"d":2}}',
    "the identity twice": b'{"id":"no","id":"5"}',
    "a key escaped and plain": b'{"id":"6","\\u0061":"no","a":"yes"}',
    "a lone surrogate": b'{"id":"7","a":"\\ud800"}',
    "a low surrogate": b'{"id":"8","a":"x\\udc00y"}',
    "a lone surrogate in a key": b'{"id":"9","\\ud800":1,"a":"x"}',
    "a lone surrogate in the identity": b'{"id":"\\udfff"}',
    "a pair": b'{"id":"10","a":"\\ud83d\\ude00"}',
    "a NUL": b'{"id":"11","a":"x\\u0000y"}',
    "a NUL in the identity": b'{"id":"\\u0000"}',
    "a NUL in a key": b'{"id":"12","a\\u0000":1,"a":2}',
    "a NUL byte": b'{"id":"13","a":"x\0y"}',
    "a NUL byte outside": b'{"id":"14",\0"a":"y"}',
    "a control character": b'{"id":"15","a":"x\x1fy"}',
    "a control character in what is skipped": b'{"id":"16","z":"x\x01y"}',
    "a tab in a text": b'{"id":"17","a":"x\ty"}',
    "DEL": b'{"id":"18","a":"x\x7fy"}',
    "no UTF-8": b'{"id":"19","a":"\xff"}',
    "no UTF-8 in what is skipped": b'{"id":"20","z":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"id":"21","a":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"id":"22","a":"\xf4\x90\x80\x80"}',
    "a text cut in a character": b'{"id":"23","a":"\xe2\x82"}',
    "a long number": b'{"id":"24","a":' + b"9" * 3000 + b"}",
    "a long fraction": b'{"id":"25","a":-0.' + b"0123456789" * 300 + b"e-400}",
    "a long identity": b'{"id":' + b"12" * 1500 + b"}",
    "a long exponent": b'{"id":"26","a":1e' + b"9" * 2000 + b"}",
    "a long bad number": b'{"id":"27","a":' + b"9" * 3000 + b".}",
    "a leading zero": b'{"id":"28","a":0' + b"1" * 300 + b"}",
    "many keys": b'{"id":"29",' + b",".join(b'"k%d":%d' % (n, n) for n in range(60)) + b',"a":"end"}',
    "a long key": b'{"id":"30","' + b"k" * 3000 + b'":1,"a":"x"}',
    "line ends as escapes": b'{"id":"31","a":"\\r\\n\\n"}',
    "an empty text": b'{"id":"32","a":""}',
    "an empty identity": b'{"id":""}',
    "a record that looks like the next": b'{"id":"33","z":[{"id":"x"},{"id":"y"}],"a":"},{\\"id\\":1"}',
}
# Their bytes may say nothing of where they end: beside others the container decides.
ALONE = {"beyond max_record", "beyond max_record in a column", "far beyond max_record"}


def packings(text):
    yield "plain", text
    yield "gzip", gzip.compress(text, 1)
    yield "zstd", subprocess.run(["zstd", "-qc"], input=text, stdout=subprocess.PIPE, check=True).stdout


def files():
    """(title, records) of all inputs."""
    for name, edge in EDGES.items():
        yield name, [b'{"id":"first"}', b'{"id":"g1","a":"x"}', edge, b'{"id":"g2"}']
    yield "all of them", [record for number, (name, edge) in enumerate(EDGES.items()) if name not in ALONE
                          for record in (b'{"id":"g%d"}' % number, edge)] + [b'{"id":"last"}']


def settle(outcome, data, places):
    """Rejects of a map of entities with the places of their records: where the structure of an entity can't be seen, it
    is what stands around it that is refused."""
    settled = []
    for line in (outcome.rejects or b"").splitlines():
        reject = json.loads(line)
        begin, end = reject["offset"], reject["offset"] + reject["length"]
        own = reject["line"] == data[:begin].count(b"\n") + 1 and reject["raw"] == raw_of(data[begin:end])
        for record, record_end, value, value_end in places:
            if own and value - len('"k1234": ') <= begin <= record and record_end <= end <= value_end:
                reject.update(offset=record, length=record_end - record, line=data[:record].count(b"\n") + 1,
                              raw=raw_of(data[record:record_end]))
        settled.append(json.dumps(reject).encode() + b"\n")
    if settled:
        outcome.rejects = b"".join(settled)


def raw_of(record):
    return base64.b64encode(record[:65536]).decode()


def try_container(binary, folder, name, number, title, records):
    """All packings and ways for all edges together; of those alone each takes its turn."""
    data, places = (b"\n".join(records) + b"\n", None) if name == "lines" else seams.contain(name, records, b"\n", b"")
    alone = number < len(EDGES)
    tries = [(packing, flags) for packing in packings(data) for flags in WAYS]
    if alone:
        tries = [tries[(number + turn) % len(tries)] for turn in (0, 4)]
    problems = []
    expected = expect(records, data, places)
    for (packing, stored), flags in tries:
        with open(os.path.join(folder, "dump"), "wb") as dump:
            dump.write(stored)
        outcome = common.run(binary, folder, "job.yaml", ["dump"], flags)
        if name.startswith("entities"):
            settle(outcome, data, places)
        found = []
        expected.input_bytes = len(stored)
        if "--strict" not in flags:
            found = common.compare(expected, outcome)
        elif outcome.status != 0:
            found = [f"status {outcome.status}: {outcome.stderr[-200:]}"]
        problems += [f"{name}, {title}, {packing}, {' '.join(flags)}: {problem}" for problem in found[:3]]
    return len(tries), problems


def expect(records, data, places):
    if places is None:
        return copy.copy(common.convert(SPEC, [("dump", data)]))
    return seams.expected_of(records, data, [place[:2] * 2 for place in places], SPEC, "dump")


# ---- a map's members: the entity is the record ----------------------------------------------------------------------

BESIDE_MAX = 64 * 1024  # core/record/form.h: what may be around an entity of max_record
ID = b"seg-0123456789"


def member(number, length, whole, named):
    """A member of a map whose entity has so many bytes, and all of it `whole`, or as few as may be. `named`: where it
    names the segment: "entity", "around" or "nowhere"."""
    front = b'"k%d":{"entityId":"k%d",' % (number, number)
    if named == "around":
        front += b'"%s":1,' % ID
    own = b'{"id":%d,' % number
    if named == "entity":
        own += b'"segmentMembership":{"ups":{"%s":{"status":"realized"}}},' % ID
    entity = long(length, own + b'"a":"')
    beside = b'"entity":' + entity + b',\n"more":"' + b"y" * max(whole - len(front) - length - 20, 0) + b'"}'
    return front + beside, len(front) + 9, entity


def entity_sizes(limit):
    """(entity, all that belongs to it; 0: as short as may be)"""
    most = limit + BESIDE_MAX
    return [(limit - 1, 0), (limit, 0), (limit + 1, 0), (limit, most - 1), (limit, most), (limit, most + 1),
            (150, most), (150, most + 1), (limit + 1, most), (150, 2 * most), (most, 0)]


def entity_file(limit, length, whole, named):
    """The file, its rows, and (code, offset, length, line) of what is too large in it."""
    small = [member(number, 150, 0, named) for number in (1, 2, 4)]
    chosen, at, entity = member(3, length, whole, named)
    parts = [small[0][0], small[1][0], chosen, small[2][0]]
    data = b"{" + b",\n".join(parts) + b"}\n"
    begin = len(b"{" + b",\n".join(parts[:2]) + b",\n")
    taken = [small[0], small[1], (chosen, at, entity), small[2]]
    rejects = []
    if len(chosen) > limit + BESIDE_MAX:
        rejects = [("too_large", begin, len(chosen))]
    elif length > limit:
        rejects = [("too_large", begin + at, length)]
    if rejects:
        del taken[2]
    rejects = [(*reject, data[:reject[1]].count(b"\n") + 1) for reject in rejects]
    return data, b"".join(b"%d,%s\n" % (json.loads(entity)["id"], json.loads(entity)["a"].encode())
                          for _, _, entity in taken), rejects


def try_entities(binary, folder):
    """Entities and what is around them at their limits, however they are read."""
    runs, problems = 0, []
    ways = [(*flags, *more) for flags in WAYS for more in ([], ["--walk", "on-demand"])]
    for limit in (300, MAX_RECORD, 1500000):  # in a block; longer than any
        for named in ("", "entity", "around", "nowhere"):
            spec = dict(SPEC, columns=SPEC["columns"][:1], source={"max_record": limit}, files={"max_rows": 100})
            if named:
                spec["segments"] = {"ids": [ID.decode()]}
            common.write_job(spec, os.path.join(folder, "entities.yaml"))
            for number, (length, whole) in enumerate(entity_sizes(limit)):
                data, rows, wanted = entity_file(limit, length, whole, named)
                tries = [(packing, source, flags) for packing in packings(data) for source in ("dump", "-") for flags in ways]
                if limit > MAX_RECORD or named:
                    tries = tries[number % 7::7]
                for (packing, stored), source, flags in tries:
                    with open(os.path.join(folder, "dump"), "wb") as dump:
                        dump.write(stored)
                    outcome = common.run(binary, folder, "entities.yaml", [source], flags,
                                         stdin=os.path.join(folder, "dump") if source == "-" else None)
                    rejects = [json.loads(line) for line in (outcome.rejects or b"").splitlines()]
                    got = [(reject["code"], reject["offset"], reject["length"], reject["line"]) for reject in rejects]
                    passed = named == "nowhere" and "--strict" not in flags  # too large or not
                    want = (0, b"" if named in ("around", "nowhere") else b"CustomerID,A\n" + rows, [] if passed else wanted)
                    have = (outcome.status, b"".join(outcome.files.values()), got)
                    runs += 1
                    problems += [f"entities, limit {limit}, {length} of {whole}, {named}, {packing}, {source}, {' '.join(flags)}: "
                                 f"{str(a)[:150]} instead of {str(b)[:150]}" for a, b in zip(have, want) if a != b]
    return runs, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--only", metavar="NAME", help="one container: lines, members, " + ", ".join(seams.CONTAINERS))
    parser.add_argument("-v", action="store_true", help="every problem")
    arguments = parser.parse_args()
    binary = common.program(arguments.binary)
    runs, problems = 0, []
    with tempfile.TemporaryDirectory(prefix="penstock-edges-") as folder:
        common.write_job(SPEC, os.path.join(folder, "job.yaml"))
        for name in ["lines", *seams.CONTAINERS]:
            for number, (title, records) in enumerate(files()):
                if arguments.only in (None, name):
                    count, found = try_container(binary, folder, name, number, title, records)
                    runs, problems = runs + count, problems + found
        if arguments.only in (None, "members"):
            count, found = try_entities(binary, folder)
            runs, problems = runs + count, problems + found
    for problem in problems if arguments.v else problems[:12]:
        print(problem[:600])
    print(f"edges: {'FAILED' if problems or not runs else 'passed'}: {runs} runs, {len(problems)} problems")
    return 1 if problems or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
