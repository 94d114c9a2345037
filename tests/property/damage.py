#!/usr/bin/env python3
"""Damage test: small compressed files cut off at every byte, with a bit flipped in every byte, with garbage behind.

    damage.py BINARY [--only TEXT] [-v]

A cut ends the run with 74, with the file and the byte named and the records before it counted; with
`on_corrupt: skip_rest` these are delivered, and the place is one failed record. However it is damaged: never a row that
is not the file's own, the same outcome for one thread and many. Standard library only; zstd is its own tool.
"""
import argparse
import concurrent.futures
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

import common
import packed

LINES = [b'{"id":1,"a":"first"}\n', b'{"id":22,"a":"\xc3\xa9\\n"}\n', b'{"id":333}\n', b'{"id":4,"a":"x","b":[1]}\n']
TEXT = b"".join(LINES)
ROWS = b'Id,A\n1,first\n22,"\xc3\xa9\n"\n333,\n4,x\n'
ENDS = [len(b"".join(LINES[:number])) - 1 for number in range(1, len(LINES) + 1)]  # of records: behind their brackets
ROW_ENDS = [ROWS.index(row) for row in (b"1,", b"22,", b"333,", b"4,")] + [len(ROWS)]
CUTS = [0, 30, 58, len(TEXT)]  # of the text, into members; the first two are inside records
ARRAY = b"[" + b",".join(line.strip() for line in LINES) + b"]\n"
ARRAY_CUTS = [0, ARRAY.index(b',{"id":333'), ARRAY.index(b'{"id":4'), len(ARRAY)]  # behind a bracket, behind a comma
JOB = {"name": "damage", "identity": {"column": "Id", "paths": ["id"]}, "columns": [{"name": "A", "path": "a"}],
       "files": {"name": "{name}.csv"}, "rejects": {"max": 2}}
WAYS = [["--threads", "1"], ["--threads", "3", "--shard-size", "16"]]
TAILS = [b"\0", b"\0" * 100, b"x", b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f", b'{"id":5}\n', b"\xff" * 9]


# ---- files ---------------------------------------------------------------------------------------------------------


def parts(text, cuts):
    return [text[a:b] for a, b in zip(cuts, cuts[1:])]


def bgzf(data):
    """A member as bgzip writes it: with its own size in an extra field (SAM 1.6, 4.1)."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    content = packer.compress(data) + packer.flush()
    size = 18 + len(content) + 8
    return (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", size - 1) + content +
            struct.pack("<II", zlib.crc32(data), len(data)))


def zstd(data, *flags):
    return subprocess.run(["zstd", "-q", "-c", *flags], input=data, stdout=subprocess.PIPE, check=True).stdout


def seek_table(frames, texts):
    """zstd's seekable format, version 0.1.0: sizes of all frames in a skippable one at the end."""
    entries = b"".join(struct.pack("<II", len(frame), len(text)) for frame, text in zip(frames, texts))
    footer = struct.pack("<IBI", len(frames), 0, 0x8F92EAB1)
    return struct.pack("<II", 0x184D2A5E, len(entries + footer)) + entries + footer


class File:
    """`ends`: where a cut leaves a whole file, with the bytes of text before it. `given`: how many bytes of text come out
    of a file that is cut off, where that is known. `first`: where the first record begins in the text."""

    def __init__(self, name, members, texts, behind=b"", given=None, first=0):
        self.name, self.stored, self.given = name, b"".join(members) + behind, given
        self.first, self.length = first, len(b"".join(texts))
        self.ends = {0: 0}
        stored = text = 0
        for member, content in zip(members, texts):
            stored, text = stored + len(member), text + len(content)
            self.ends[stored] = text
        self.ends[len(self.stored)] = text

    def records(self, text_bytes):
        """That came with their last bracket."""
        return sum(self.first + end <= text_bytes for end in ENDS)

    def more(self, text_bytes):
        """What counts as a record beside them: one that is open, or the array's end that is missing."""
        if self.first:
            return text_bytes < self.length
        return text_bytes not in (0, *ENDS, *(end + 1 for end in ENDS))


def inflated(stored):
    """Bytes of text that zlib gives for a gzip file that may be cut off."""
    given = 0
    while stored:
        stream = zlib.decompressobj(31)
        given += len(stream.decompress(stored))
        stored = stream.unused_data
    return given


def raw_given(stored):
    """The same for frames of raw blocks."""
    at = given = 0
    while at + 6 < len(stored):
        at, last = at + 6, 0
        while not last and at + 3 <= len(stored):
            header = int.from_bytes(stored[at:at + 3], "little")
            last, size = header & 1, header >> 3
            given += min(size, len(stored) - at - 3)
            at += 3 + size
    return given


def files():
    texts, elements = parts(TEXT, CUTS), parts(ARRAY, ARRAY_CUTS)
    frames = [zstd(text, "--check") for text in texts]
    raws = [packed.raw_frame(text) for text in texts]
    return [File("one member.gz", [gzip.compress(TEXT, 6, mtime=0)], [TEXT], given=inflated),
            File("stored member.gz", [gzip.compress(TEXT, 0, mtime=0)], [TEXT], given=inflated),
            File("members.gz", [gzip.compress(text, 6, mtime=0) for text in texts], texts, given=inflated),
            File("bgzf.gz", [bgzf(text) for text in [*texts, b""]], [*texts, b""], given=inflated),
            File("one frame.zst", [zstd(TEXT, "-9", "--check")], [TEXT]),
            File("no checksum.zst", [zstd(TEXT, "--no-check")], [TEXT]),
            File("frames.zst", frames, texts),
            File("raw frames.zst", raws, texts, given=raw_given),
            File("seekable.zst", frames, texts, seek_table(frames, texts)),
            File("array.gz", [gzip.compress(text, 6, mtime=0) for text in elements], elements, given=inflated, first=1),
            File("array.zst", [packed.raw_frame(text) for text in elements], elements, given=raw_given, first=1)]


# ---- runs ----------------------------------------------------------------------------------------------------------


class Place:
    """A folder in which one run at a time leaves its files."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("fail", "skip_rest"):
            common.write_job(dict(JOB, source={"on_corrupt": name}), os.path.join(folder, name + ".yaml"))

    def run(self, binary, stored, name, job, way):
        with open(os.path.join(self.folder, name), "wb") as source:
            source.write(stored)
        return common.run(binary, self.folder, job + ".yaml", [name], WAYS[way])


def counts(outcome):
    return (outcome.report or {}).get("metrics", {}).get("recordSummary", {})


def seen(outcome):
    return outcome.status, outcome.files, outcome.rejects, counts(outcome)


def differences(first, second):
    names = ("status", "files", "rejects", "counts")
    return [f"{name}: {a!r} by one thread, {b!r} by many"[:300]
            for name, a, b in zip(names, first, second) if a != b]


def check_rows(outcome):
    """What was delivered is a part of the file's rows, from its front on."""
    got = outcome.files.get("damage.csv", b"")
    ends = [end for end in ROW_ENDS if got == ROWS[:end]]
    if got and not ends:
        return [f"rows that are not the file's: {got!r}"]
    return []


def check_cut(file, length, tried):
    """`tried`: (fail, skip_rest) outcomes of a file that is cut off at `length`."""
    fail, skip = tried
    if length in file.ends:
        records = file.records(file.ends[length]) + file.more(file.ends[length])
        wanted = 65 if length == 0 else 0
        problems = [f"status {o.status}, not {wanted}: {o.stderr[-200:]}" for o in tried if o.status != wanted]
        if wanted == 0 and [counts(o).get("inputRecordCount") for o in tried] != [records] * 2:
            problems.append(f"{[counts(o).get('inputRecordCount') for o in tried]} records, not {records}")
        return problems
    if length == 1:  # no sign of what it is
        return [] if fail.status in (0, 65) else [f"status {fail.status}: {fail.stderr[-200:]}"]
    problems = []
    if fail.status != 74 or not re.search(rf"{re.escape(file.name)}: .*at byte {length}\b", fail.stderr):
        problems.append(f"status {fail.status} and no place: {fail.stderr[-300:]}")
    if fail.files or skip.status != 0:
        problems.append(f"files {list(fail.files)}; skip_rest: status {skip.status}: {skip.stderr[-200:]}")
    lines = counts(skip).get("deliveredRecordCount")
    if counts(fail).get("inputRecordCount") != lines:
        problems.append(f"{counts(fail).get('inputRecordCount')} records were counted, {lines} delivered")
    if file.given is not None and lines != file.records(file.given(file.stored[:length])):
        problems.append(f"{lines} records, {file.records(file.given(file.stored[:length]))} were there")
    rejects = [json.loads(line)["code"] for line in (skip.rejects or b"").splitlines()]
    if rejects != ["truncated"]:
        problems.append(f"rejects: {rejects}")
    return problems


def check_tail(file, tail, tried):
    fail, skip = tried
    like = file.stored[:len(tail)].startswith(tail[:4])  # a cut member, no garbage
    place = len(file.stored) + (len(tail) if like else 0)
    problems = []
    if fail.status != 74 or f"at byte {place}" not in fail.stderr:
        problems.append(f"status {fail.status} and no place: {fail.stderr[-300:]}")
    if counts(fail).get("inputRecordCount") != len(LINES) or counts(skip).get("deliveredRecordCount") != len(LINES):
        problems.append(f"{counts(fail)}, {counts(skip)}")
    return problems


def check_checksum(file, tried):
    fail, skip = tried
    problems = []
    if fail.status != 74 or "checksum" not in fail.stderr:
        problems.append(f"status {fail.status}: {fail.stderr[-300:]}")
    if counts(fail).get("inputRecordCount") != len(LINES) or counts(skip).get("deliveredRecordCount") != len(LINES):
        problems.append(f"{counts(fail)}, {counts(skip)}")
    return problems


class Trial:
    """A damaged file, and what is asked of its outcomes. `judge` of None: a flipped bit may pass for other data, so all
    that is asked is that the run ends in order, and the same way for any number of threads."""

    def __init__(self, file, number, what, stored, judge=None):
        self.file, self.number, self.what, self.stored, self.judge = file, number, what, stored, judge

    def run(self, binary, place):
        skip = [place.run(binary, self.stored, self.file.name, "skip_rest", way) for way in range(len(WAYS))]
        problems = differences(seen(skip[0]), seen(skip[1]))
        if self.judge is None:
            return problems + [f"status {o.status}: {o.stderr[-200:]}" for o in skip if o.status not in (0, 65, 74)]
        fail = place.run(binary, self.stored, self.file.name, "fail", self.number % len(WAYS))
        return problems + self.judge((fail, skip[0])) + check_rows(skip[0])


def trials(file):
    stored = file.stored
    for length in range(len(stored) + 1):
        yield Trial(file, length, f"cut at {length}", stored[:length],
                    lambda tried, at=length: check_cut(file, at, tried))
    for number, tail in enumerate(TAILS):
        yield Trial(file, number, f"{tail[:8]!r} behind", stored + tail,
                    lambda tried, t=tail: check_tail(file, t, tried))
    checked = file.name.endswith(".gz") or file.name.startswith("one")
    for at in range(len(stored)):
        flipped = stored[:at] + bytes([stored[at] ^ 1 << at % 8]) + stored[at + 1:]
        last = len(stored) - at <= (8 if file.name.endswith(".gz") else 4)
        if checked and last and "bgzf" not in file.name:
            yield Trial(file, at, f"checksum byte {at}", flipped, lambda tried: check_checksum(file, tried))
        elif checked:
            yield Trial(file, at, f"flipped at {at}", flipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--only", metavar="TEXT", default="", help="files whose names have it in them")
    parser.add_argument("-v", action="store_true", help="each file's counts")
    arguments = parser.parse_args()
    binary, jobs = common.program(arguments.binary), max(2, os.cpu_count() or 1)
    runs = failed = 0
    with tempfile.TemporaryDirectory(prefix="penstock-damage-") as folder:
        places = []
        for number in range(jobs):
            os.mkdir(os.path.join(folder, str(number)))
            places.append(Place(os.path.join(folder, str(number))))
        for file in files():
            if arguments.only not in file.name:
                continue
            every = list(trials(file))

            def share(number, every=every):
                return [(trial, trial.run(binary, places[number])) for trial in every[number::jobs]]

            with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
                results = [result for part in pool.map(share, range(jobs)) for result in part]
            bad = [(trial, problems) for trial, problems in results if problems]
            runs, failed = runs + len(results), failed + len(bad)
            for trial, problems in bad[:5]:
                print(f"FAIL {file.name}, {trial.what}: {'; '.join(problems)[:900]}")
            if arguments.v:
                print(f"{file.name} ({len(file.stored)} bytes): {len(results)} ways to be damaged, {len(bad)} failed")
    print(f"damage: {'FAILED' if failed or not runs else 'passed'}: {runs} damaged files, {failed} failed")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
