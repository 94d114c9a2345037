#!/usr/bin/env python3
"""Bomb test: small compressed files that stand for far more than a machine holds, in every shape in which the end of a
record is looked for.

    bombs.py BINARY [--full] [--only TEXT] [-v]

Each runs under the least memory limit that the program takes, keeps to it, and ends with a plain status: records are
counted, what is no record is one failed record, and a budget that is passed ends the run at once. Files of zstd are
1 MiB for 10 GB, gzip's are a thousandth of what they stand for. Without --full those that have to be read to their
end stand for less. Standard library only; Linux.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib

import common
from limits import MIB, Failed, Watcher, check, least_named

TEN_GB = 10 * 1024 * MIB
ONE_GB = 1024 * MIB
QUICK_RECORDS, QUICK_BYTES = 32 * MIB, 64 * MIB
RAW_BLOCK = 64 * 1024
COPY_BLOCK = 128 * 1024  # of a frame's window of 128 KiB, the most (RFC 8878, 3.1.1.2.3)
TIMEOUT = {False: 300, True: 1800}  # seconds, of a run; --full: of one over 10 GB
GOOD = b'{"id":1,"a":"z"}\n'
JOB = {"name": "bomb", "identity": {"column": "Id", "paths": ["id"]}, "columns": [{"name": "A", "path": "a"}],
       "source": {"max_record": "1MiB"}, "rejects": {"path": "rejects.jsonl", "max": 1}}


class Shape:
    """`front`, then `unit` again and again, then `back`. `records`: in a unit; `more`: in front and back; `code`: of
    the one record that fails; `stops`: more fail than the budget of one takes; `soon`: it is read in a few seconds."""

    def __init__(self, name, front, unit, back, records=0, more=0, code=None, stops=False, soon=False):
        self.name, self.front, self.unit, self.back = name, front, unit, back
        self.records, self.more, self.code, self.stops, self.soon = records, more, code, stops, soon

    def units(self, kind, full):
        if full or self.stops or (self.soon and kind == "zst"):
            size = TEN_GB if kind == "zst" else ONE_GB
        else:
            size = QUICK_RECORDS if self.records else QUICK_BYTES
        return size // len(self.unit)


TINY = b'{"id":1}'
ENTITY = b'"k":{"entity":' + TINY + b"}"
SHAPES = [
    Shape("a line without an end", b"", b"x", b"", code="too_large", soon=True),
    Shape("a text without an end", b'{"id":2,"a":"', b"x", b"", code="too_large"),
    Shape("a huge text of escapes", b'{"id":2,"a":"', b"\\n", b'"}\n', code="too_large"),
    Shape("a huge array in a record", b'{"id":2,"a":[1', b",1", b"]}\n", code="too_large"),
    Shape("brackets", b"", b"[", b"", code="too_large"),
    Shape("blanks", b"", b" ", b""),
    Shape("line ends", b"", b"\r\n", b""),
    Shape("tiny records", b"", TINY + b"\n", b"", records=1),
    Shape("tiny bad records", b"", b"1\n", b"", stops=True),
    Shape("an array of tiny records", b"[" + TINY, b"," + TINY, b"]", records=1, more=1),
    Shape("an array of tiny records, not closed", b"[" + TINY, b"," + TINY, b"", records=1, more=1, code="syntax"),
    Shape("an array of one huge text", b'[{"id":2,"a":"', b"x", b'"}]', code="too_large"),
    Shape("an array of blanks", b"[" + TINY + b",", b" ", TINY + b"]", more=2),
    Shape("an array of commas", b"[" + TINY, b",", TINY + b"]", stops=True),
    Shape("an array of numbers", b"[1", b",1", b"]", stops=True),
    Shape("an array of braces", b"[" + TINY + b",", b'{"a":', b"", more=1, code="too_large"),
    Shape("an array of records in records", b"[" + TINY, b',{"id":1,"a":[1', b"", stops=True),
    Shape("behind an array", b"[" + TINY + b"]", b"x", b"", more=1, code="trailing_content"),
    Shape("texts on one line", TINY, TINY, b"", records=1, more=1),
    Shape("records in records on lines", TINY + TINY + b"\n", b'{"id":1,"a":[\n', b"", stops=True),
    Shape("pretty-printed texts", b"", b'{\n  "id": 1\n}\n', b"", records=1),
    Shape("words behind a text", TINY + TINY + b"\n", b"x\n", b"", stops=True),
    Shape("entities", b"{" + ENTITY, b"," + ENTITY, b"}", records=1, more=1),
    Shape("entities without an entity", b"{" + ENTITY + b"," + ENTITY, b',"k":{}', b"}", stops=True),
    Shape("a huge key", b"{" + ENTITY + b"," + ENTITY + b',"', b"k", b'":{}}', more=2, code="too_large"),
    Shape("an array under a key", b'{"results":[' + TINY, b"," + TINY, b"]}", records=1, more=1),
]


# ---- files ---------------------------------------------------------------------------------------------------------


def block(kind, length, content):
    return (length << 3 | kind << 1).to_bytes(3, "little") + content


def copy_block(period):
    """A block (RFC 8878, 3.1.1.3) without literals, of one sequence: COPY_BLOCK bytes from `period` bytes before."""
    offset = period + 3  # 1 to 3 mean something else
    code, longest = offset.bit_length() - 1, 65539  # that is match length code 52, with 16 bits more
    bits = 1 << code + 16 | (offset - (1 << code)) << 16 | COPY_BLOCK - longest  # a 1 is before the first
    content = bytes([0, 1, 0b01010100, 0, code, 52]) + bits.to_bytes(bits.bit_length() // 8 + 1, "little")
    return block(2, len(content), content)


def zstd_bomb(shape, units, _full):
    """One frame: raw blocks at both ends, copies between."""
    text = shape.front + shape.unit * (RAW_BLOCK // len(shape.unit))
    size = len(shape.front) + units * len(shape.unit)
    copies = (size - len(text)) // COPY_BLOCK
    rest = size - len(text) - copies * COPY_BLOCK
    turn = copies * COPY_BLOCK % len(shape.unit)
    tail = (shape.unit * (rest // len(shape.unit) + 2))[turn:turn + rest] + shape.back
    pieces = [tail[at:at + RAW_BLOCK] for at in range(0, len(tail), RAW_BLOCK)]
    return (b"\x28\xb5\x2f\xfd\x00\x38" + block(0, len(text), text) + copy_block(len(shape.unit)) * copies +
            b"".join(block(0, len(piece), piece) for piece in pieces) + b"\x01\0\0")


def deflated(data, flush):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(flush)


def gzip_bomb(shape, units, full):
    """One member. Its checksum holds where it is read to its end: inspect does, whatever fails."""
    many = 16 * MIB // len(shape.unit)
    piece, rest = shape.unit * many, shape.unit * (units % many) + shape.back
    crc = zlib.crc32(shape.front)
    for _ in range(units // many if full or not shape.stops else 0):
        crc = zlib.crc32(piece, crc)
    length = len(shape.front) + units * len(shape.unit) + len(shape.back)
    return (b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + deflated(shape.front, zlib.Z_FULL_FLUSH) +
            deflated(piece, zlib.Z_FULL_FLUSH) * (units // many) + deflated(rest, zlib.Z_FINISH) +
            zlib.crc32(rest, crc).to_bytes(4, "little") + (length % (1 << 32)).to_bytes(4, "little"))


BOMBS = {"zst": zstd_bomb, "gz": gzip_bomb}


# ---- runs ----------------------------------------------------------------------------------------------------------


def run(command, folder, timeout):
    """The status, standard error, and the most anonymous memory that was seen."""
    process = subprocess.Popen(command, cwd=folder, env=common.clean_environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watcher = Watcher(process)
    watcher.start()
    try:
        _, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failed(f"no end after {timeout} s") from None
    watcher.join()
    return process.returncode, stderr.decode("utf-8", "replace"), watcher.peak


def limited(command, folder, timeout):
    """Runs with the least limit that the program names, and keeps it."""
    status, stderr, _ = run(command + ["--memory-limit", "1MiB"], folder, timeout)
    check(status == 2, f"a limit of 1 MiB ends with {status}: {stderr.strip()[-300:]}")
    least = least_named(stderr)
    status, stderr, peak = run(command + ["--memory-limit", f"{least}MiB"], folder, timeout)
    check(peak <= least * MIB, f"{peak / MIB:.1f} MiB of anonymous memory, the limit is {least}")
    return status, stderr, f"{peak / MIB:.0f} of {least} MiB"


def check_counts(shape, units, status, stderr, folder):
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as text:
        records = json.load(text)["metrics"]["recordSummary"]
    failed = {code: count for code, count in records["failedByReason"].items() if count}
    if shape.stops:
        check(status == 65 and "2 records failed, the budget is 1" in stderr, f"status {status}: {stderr[-300:]}")
        return
    rows = shape.records * units + shape.more + 1
    check(status == 0, f"status {status}: {stderr.strip()[-300:]}")
    check(records["deliveredRecordCount"] == rows, f"{records['deliveredRecordCount']} records, not {rows}")
    check(failed == ({shape.code: 1} if shape.code else {}), f"failed: {failed}")


def try_shape(binary, folder, shape, kind, full):
    units = shape.units(kind, full)
    name = "x." + kind
    content = BOMBS[kind](shape, units, full)
    with open(os.path.join(folder, name), "wb") as bomb:
        bomb.write(content)
    sources = [name] if full and shape.stops else ["good.ndjson", name]
    command = [binary, "export", "-j", "job.yaml", *sources, "--to", "null:", "--report", "report.json",
               "--threads", "2", "--progress", "none"]
    status, stderr, note = limited(command, folder, TIMEOUT[full])
    check_counts(shape, units, status, stderr, folder)
    if full and kind == "gz":
        command = [binary, "inspect", "good.ndjson", name, "--threads", "2"]
        status, stderr, more = limited(command, folder, TIMEOUT[full])
        check(status == 0, f"inspect: status {status}: {stderr.strip()[-300:]}")
        note += f", inspect {more}"
    return f"{len(content) / MIB:.2f} MiB for {units * len(shape.unit) / MIB:.0f}: {note}"


def prepare(folder):
    with open(os.path.join(folder, "good.ndjson"), "wb") as good:
        good.write(GOOD)
    common.write_job(JOB, os.path.join(folder, "job.yaml"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--full", action="store_true", help="10 GB of zstd, 1 GB of gzip, this by inspect too: an hour")
    parser.add_argument("--only", metavar="TEXT", default="", help="shapes whose names have it in them")
    parser.add_argument("-v", action="store_true", help="what each one took")
    arguments = parser.parse_args()
    binary, failures, runs = common.program(arguments.binary), 0, 0
    with tempfile.TemporaryDirectory(prefix="penstock-bombs-") as folder:
        prepare(folder)
        for shape in SHAPES:
            for kind in BOMBS if arguments.only in shape.name else ():
                began = time.monotonic()
                runs += 1
                try:
                    note = try_shape(binary, folder, shape, kind, arguments.full)
                except (Failed, OSError, ValueError) as error:
                    failures += 1
                    print(f"FAIL {shape.name}, {kind}: {error}", flush=True)
                    continue
                if arguments.v:
                    print(f"ok {time.monotonic() - began:6.1f} s  {shape.name}, {kind}: {note}", flush=True)
    print(f"bombs: {'FAILED' if failures or not runs else 'passed'}: {runs} bombs, {failures} failed")
    return 1 if failures or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
