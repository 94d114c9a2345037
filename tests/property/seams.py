#!/usr/bin/env python3
"""Seam test: small files of odd shapes and of every container, cut at every offset.

    seams.py BINARY [--only TEXT]

Shard sizes from 1 to the file's length and one more put seams at every byte: inside a CRLF, a quote, an escape, a UTF-8
sequence, a blank line, the byte order mark, a bracket, what stands around an entity. Files, rejects and record counts
must be those of one shard, and those of reference/ (of a container: over its records, a line each), but for containers
with records that have no end of their own. Of containers, also a run that keeps the latest record of each key, and what
inspect prints, are those of one thread.
"""
import argparse
import base64
import concurrent.futures
import copy
import os
import subprocess
import sys
import tempfile

import common
import contained

SPEC = {"name": "seams", "identity": {"column": "CustomerID", "paths": ["id"]},
        "columns": [{"name": "A", "path": "a"}, {"name": "B", "path": "b"}], "rejects": {"max": 1000}}

KEPT = {"name": "seams", "identity": {"column": "CustomerID", "paths": ["id"], "deduplicate": "latest"},
        "columns": [{"name": "A", "path": "a"}, {"name": "B", "path": "b"}], "rejects": {"max": 1000}}
KEPT_STEP = 11  # of shard sizes

PLAIN = [b'{"id":1,"a":"x"}', b'{"id":22,"a":"say \\"hi\\"","b":"\xc3\xa9\xf0\x9f\x98\x80"}',
         b'{"id":"333","a":"l\\nm","b":[1, {"c":"]"}]}', b'{"id":4444}']
BROKEN = [b'{"id":1,"a":"x"}', b'{"id":2,"a":"open', b'{"id":3}', b'{"a":1}', b'{"id":4}}', b'{"id":"\xff"}', b'{"id":5',
          b'{"id":6,"a":"\\\\"}']
LONG = [b'{"id":1,"b":"' + b"z" * 75 + b'"}', b'{"id":2}', b'{"skip":{"id":"\\\\\\""},"id":3}']

FILES = {
    "plain LF": b"\n".join(PLAIN) + b"\n",
    "CRLF": b"\r\n".join(PLAIN) + b"\r\n",
    "no last line end": b"\n".join(PLAIN),
    "CRLF, no last line end": b"\r\n".join(PLAIN),
    "blank lines": b"\n\r\n" + b"\n\n \r\n\t\n".join(PLAIN) + b"\n\n \n",
    "blanks around": b"\n".join(b" \t" + line + b" \t\r" for line in PLAIN),
    "byte order mark": b"\xef\xbb\xbf" + b"\n".join(PLAIN) + b"\n",
    "byte order mark, blank first line": b"\xef\xbb\xbf\n\n" + b"\n".join(PLAIN),
    "broken records": b"\n".join(BROKEN) + b"\n",
    "broken records, CRLF, open at the end": b"\r\n".join(BROKEN + [b'{"id":7,"a":"']),
    "longer than a block": b"\n".join(LONG) + b"\n",
    "longer than a block, CRLF": b"\r\n".join(LONG),
    "one record": b'{"id":1,"a":"alone","b":[1,2]}',
    "many blank lines": b'{"id":1}\n' + b"\n" * 40 + b'{"id":2}\n' + b"\r\n" * 20,
    "tiny records": b'{"id":1}\n{"id":2}\n{}\n{"id":3}\n[]\n',
}


# ---- containers ----------------------------------------------------------------------------------------------------

RECORDS = [b'{"id":1,"a":"x"}', b'{"id":22,"a":"\\"}],[{\\"","b":"\xc3\xa9\xf0\x9f\x98\x80"}',
           b'{"id":"333","b":[{"id":9},{"id":8}]}', b'{"id":4}']
BAD = [b'{"id":1}', b'{"id":2,"a":tru}', b'{"a":"]}"}', b'{"id":3}', b'{"id":"\xff"}', b'{"id":4,"b":[1,]}', b'{"id":5}']
# Records without an end of their own: where they end is told by what follows.
OPEN = [b'{"id":1,"a":"x"}', b'{"id":2,"a":"open}', b'{"id":3}', b'{"id":4,"a":[1}', b'{"id":5}', b'{"id":6}}', b'{"id":7}']
# name: pretty-printed?, before all, before each, between two, behind each, behind all; N is a number
CONTAINERS = {
    "array": (False, b"[", b"", b",", b"", b"]"),
    "array, blanks": (False, b" [ \t", b"", b" \n , ", b"", b" ]\n \n"),
    "array, a record a line": (False, b"[\n", b"", b",\n", b"", b"\n]\n"),
    "array, pretty": (True, b"[\n  ", b"", b",\n  ", b"", b"\n]\n"),
    "concatenated": (False, b"", b"", b" ", b"", b"\n"),
    "concatenated, nothing between": (False, b"", b"", b"", b"", b""),
    "concatenated, pretty": (True, b"", b"", b"\n", b"", b"\n"),
    "entities": (False, b"{", b'"kN":{"entityId":"kN","entity":', b",", b',"more":{"entity":[]}}', b"}"),
    "entities, pretty": (True, b"{\n  ", b'"kN": {\n    "entity": ', b",\n  ", b',\n    "more": [\n      1\n    ]\n  }', b"\n}\n"),
    "under a key": (False, b'{"results":[', b"", b",", b"", b'],"more":"]"}\n'),
    "under a key, pretty": (True, b'{\n  "_page": {\n    "n": 2\n  },\n  "results": [\n    ', b"", b",\n    ", b"",
                            b'\n  ],\n  "next": null\n}\n'),
}
INDENT = {"array, pretty": 1, "entities, pretty": 2, "under a key, pretty": 2}


def contain(name, records, line_end, mark):
    """The file, and where each record stands in it: pairs of begin and end, and those of the value that it is in."""
    pretty, before, front, between, back, behind = CONTAINERS[name]
    text, places = mark + before.replace(b"\n", line_end), []
    for number, record in enumerate(records):
        if pretty:
            record = contained.pretty(record, INDENT.get(name, 0))
        text += (between if number else b"").replace(b"\n", line_end)
        around = front.replace(b"N", b"%d" % number).replace(b"\n", line_end)
        value = len(text) + max(around.find(b"{"), 0)
        text += around
        begin = len(text)
        text += record.replace(b"\n", line_end)
        end = len(text)
        text += back.replace(b"\n", line_end)
        places.append((begin, end, value, len(text)))
    return text + behind.replace(b"\n", line_end), places


def expected_of(records, data, places, spec, name):
    """What the reference says of the records a line each, with the places that they have in the container."""
    lines = b"\n".join(records) + b"\n"
    result = copy.copy(common.convert(spec, [(name, lines)]))
    result.input_bytes, result.rejects = len(data), copy.deepcopy(result.rejects)
    for reject in result.rejects:
        # bytes that are no UTF-8 have no structure: an entity can't be found among them
        begin, end = places[reject["line"] - 1][2 * (reject["code"] == "utf8"):][:2]
        reject.update(offset=begin, length=end - begin, line=data[:begin].count(b"\n") + 1,
                      raw=base64.b64encode(data[begin:end]).decode())
    return result


def cases():
    """(title, file, what is expected or None) of all files."""
    for title, data in FILES.items():
        yield title, data, common.convert(SPEC, [("dump.json", data)])
    for name in CONTAINERS:
        for what, records, line_end, mark in (("LF", RECORDS, b"\n", b""), ("CRLF, mark", RECORDS, b"\r\n", b"\xef\xbb\xbf"),
                                              ("bad records", BAD, b"\n", b"")):
            data, places = contain(name, records, line_end, mark)
            yield f"{name}, {what}", data, expected_of(records, data, places, SPEC, "dump.json")
        yield f"{name}, records without an end", contain(name, OPEN, b"\n", b"")[0], None


def kept_cases():
    """(title, file) of containers with all records twice, for runs that can't take back what a record did."""
    for name in CONTAINERS:
        for what, records in (("good", RECORDS), ("bad", BAD), ("open", OPEN)):
            yield f"{name}, {what} records twice", contain(name, records + records, b"\n", b"")[0]


# ---- runs ----------------------------------------------------------------------------------------------------------

DENSE = 200  # shards up to this size have every size; longer ones, of which a file has two or three, each fourth


def try_file(binary, folder, data, expected):
    """(how many runs, problems)"""
    os.makedirs(folder)
    common.write_job(SPEC, os.path.join(folder, "job.yaml"))
    with open(os.path.join(folder, "dump.json"), "wb") as dump:
        dump.write(data)
    problems, first = [], None
    most = len(data) + 2
    sizes = [1 << 30, *range(1, min(DENSE, most)), *range(DENSE, most, 4)]
    for number, size in enumerate(sizes, 1):
        # threads and ways of reading take turns: all of them meet all kinds of seams
        flags = ["--threads", str((1, 3, 2)[size % 3]), "--shard-size", str(size), "--input-mode",
                 common.MODES[size // 3 % len(common.MODES)]]
        outcome = common.run(binary, folder, "job.yaml", ["dump.json"], flags)
        found = [] if expected is None else common.compare(expected, outcome)
        seen = (outcome.status, outcome.files, outcome.rejects, (outcome.report or {}).get("metrics", {}).get("recordSummary"))
        first = seen if first is None else first
        if not found and seen != first:
            found = ["not the same as with one shard"]
        problems += [f"{' '.join(flags)}: {problem}" for problem in found]
        if len(problems) > 8:
            break
    return number, problems


def catalogue(binary, folder, flags):
    done = subprocess.run([binary, "inspect", "--json", *flags, "dump.json"], cwd=folder, env=common.clean_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=common.TIMEOUT, check=False)
    return done.returncode, done.stdout


def try_kept(binary, folder, data):
    """(how many runs, problems)"""
    os.makedirs(folder)
    common.write_job(KEPT, os.path.join(folder, "job.yaml"))
    with open(os.path.join(folder, "dump.json"), "wb") as dump:
        dump.write(data)
    problems, first, number = [], None, 0
    for number, size in enumerate([1 << 30, *range(1, len(data) + 2, KEPT_STEP)], 1):
        flags = ["--threads", "1" if size == 1 << 30 else str((2, 4, 3)[size // KEPT_STEP % 3]), "--shard-size", str(size),
                 "--input-mode", common.MODES[size // KEPT_STEP // 3 % len(common.MODES)]]
        outcome = common.run(binary, folder, "job.yaml", ["dump.json"], flags)
        seen = (outcome.status, outcome.files, outcome.rejects, (outcome.report or {}).get("metrics", {}).get("recordSummary"),
                catalogue(binary, folder, flags))
        first = seen if first is None else first
        if seen != first:
            problems.append(f"{' '.join(flags)}: not the same as with one thread")
    return number, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--only", metavar="TEXT", default="", help="files whose names have it in them")
    arguments = parser.parse_args()
    binary = common.program(arguments.binary)
    runs = failures = 0
    chosen = [(title, data, try_file, (expected,)) for title, data, expected in cases() if arguments.only in title]
    chosen += [(title, data, try_kept, ()) for title, data in kept_cases() if arguments.only in title]
    with tempfile.TemporaryDirectory(prefix="penstock-seams-") as folder:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            tried = [pool.submit(attempt, binary, os.path.join(folder, str(number)), data, *more)
                     for number, (_, data, attempt, more) in enumerate(chosen)]
            for (title, data, _, _), one in zip(chosen, tried):
                count, problems = one.result()
                runs, failures = runs + count, failures + bool(problems)
                print(f"{title} ({len(data)} bytes): {'FAILED' if problems else 'ok'} ({count} shard sizes)", flush=True)
                for problem in problems[:4]:
                    print(f"  {problem}")
    print(f"seams: {'FAILED' if failures or not runs else 'passed'}: {len(chosen)} files, {runs} runs, {failures} failed")
    return 1 if failures or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
