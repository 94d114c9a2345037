"""The jobs of bench/peers: what goes in, what must come out, and the check of what came out.

Python's standard library only. Jobs are those of peers.d/jobs.json.
"""
import collections
import csv
import decimal
import gzip
import hashlib
import mmap
import os
import shutil
import subprocess

import benchlib
from benchlib import Wrong

HEAD_ROWS = 20000  # compared row by row with Python's conversion
# pigz makes one member, as gzip does, on all cores.
PACKERS = {"gz": ["pigz" if shutil.which("pigz") else "gzip", "-6", "-c"], "zst": ["zstd", "-3", "-q", "-c"]}
# Job files of penstock; the other jobs differ from A in their input only.
JOB_FILES = {name: os.path.join(benchlib.BENCH, file)
             for name, file in {"B": "job_b.yaml", "E": "job_e.yaml"}.items()}
JOB_A = os.path.join(benchlib.BENCH, "job_a.yaml")


class Job:
    def __init__(self, name):
        facts = benchlib.JOBS[name]
        self.name, self.about, self.columns = name, facts["about"], facts["columns"]
        self.numbers, self.members = facts["numbers"], facts.get("members")
        self.packing, self.output = facts.get("packing"), facts.get("output")
        self.files, self.frames = facts.get("files", 1), facts.get("frames", 1)
        self.file = JOB_FILES.get(name, JOB_A)

    def target(self, folder):
        return os.path.join(folder, "out.csv" + (f".{self.output}" if self.output else ""))


# ---- inputs ----

def cut(source, parts):
    """Where to cut a file into parts of whole lines, of about the same size: pairs of begin and end, none empty."""
    size = os.path.getsize(source)
    with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as bytes_:
        ends = []
        for part in range(1, parts):
            found = bytes_.find(b"\n", size * part // parts)
            ends.append(size if found < 0 else found + 1)
    ends = [0, *ends, size]
    return [(begin, end) for begin, end in zip(ends, ends[1:]) if end > begin]


class Input:
    """The dump as a job wants it. `sources`: for tools; `halves`: for two programs of one thread side by side."""

    def __init__(self, plain, rows, job, folder):
        self.plain, self.rows = plain, rows
        self.bytes = os.path.getsize(plain)
        if job.packing is None:
            self.sources = self.halves = [plain]
            return
        os.makedirs(folder)
        pack = lambda name, slices: self.pack(job.packing, os.path.join(folder, f"{name}.ndjson.{job.packing}"), slices)
        parts = cut(plain, max(job.files, job.frames))
        if job.files > 1:
            self.sources = self.halves = [pack(f"part-{number}", [part]) for number, part in enumerate(parts, 1)]
            return
        self.sources = self.halves = [pack("whole", parts)]
        if len(parts) > 1:
            middle = len(parts) // 2
            self.halves = [pack("half-1", parts[:middle]), pack("half-2", parts[middle:])]

    def pack(self, packing, path, slices):
        """Each slice compressed alone, one behind the other."""
        with open(self.plain, "rb") as plain, open(path, "wb") as out:
            for begin, end in slices:
                with subprocess.Popen(PACKERS[packing], stdin=subprocess.PIPE, stdout=out) as packer:
                    plain.seek(begin)
                    left = end - begin
                    while left > 0:
                        block = plain.read(min(left, benchlib.MIB))
                        packer.stdin.write(block)
                        left -= len(block)
                    packer.stdin.close()
                if packer.returncode != 0:
                    raise Wrong(f"{PACKERS[packing][0]}: status {packer.returncode}")
        return path


class Inputs:
    """The dump in the shapes of the jobs and in sizes (all, head, what slow tools get, one record), each made once."""

    def __init__(self, programs, folder, rows, slow_rows):
        self.folder, self.made = folder, {}
        self.plain = {"full": os.path.join(folder, "full.ndjson")}
        self.rows = {"full": rows, "head": min(HEAD_ROWS, rows), "slow": min(slow_rows, rows), "one": 1}
        programs.generate(self.plain["full"], rows)
        for size in ("head", "slow", "one"):
            self.plain[size] = os.path.join(folder, f"{size}.ndjson")
            benchlib.head(self.plain["full"], self.plain[size], self.rows[size])

    def get(self, job, size):
        key = (job.packing, job.files, job.frames, size)
        if key not in self.made:
            folder = os.path.join(self.folder, f"{job.name}-{size}")
            self.made[key] = Input(self.plain[size], self.rows[size], job, folder)
        return self.made[key]


# ---- checks ----

class Checker:
    """Rows as values: numbers by what they are worth, all else as text. What is right it has from Python's json."""

    def __init__(self, job, digests=None):
        self.job = job
        self.names = [name for name, _ in job.columns]
        self.numeric = [name in job.numbers for name in self.names]
        # By SHA-256 of a file and its columns: what tools and jobs write with the same bytes is read once.
        self.digests = {} if digests is None else digests

    def value_row(self, row):
        try:
            return tuple(decimal.Decimal(f).normalize() if n and f else f for f, n in zip(row, self.numeric))
        except decimal.InvalidOperation:
            raise Wrong("a number column holds no number") from None

    def rows(self, path):
        opened = gzip.open(path, "rt", encoding="utf-8", newline="") if path.endswith(".gz") else \
            open(path, encoding="utf-8", newline="")
        with opened as text:
            reader = csv.reader(text)
            header = next(reader, [])
            if header != self.names:
                raise Wrong(f"the header is {header}")
            for number, row in enumerate(reader, 1):
                if len(row) != len(self.names):
                    raise Wrong(f"row {number} has {len(row)} fields, not {len(self.names)}")
                yield self.value_row(row)

    def reference(self, source):
        rows = benchlib.reference_rows(source, self.job.columns, self.job.members)
        next(rows)
        return [self.value_row(row) for row in rows]

    def check(self, path, want, ordered):
        """Raises Wrong unless the rows of a CSV file are those wanted, in their order where the tool keeps it."""
        got = list(self.rows(path))
        if got == want:
            return
        missing = collections.Counter(want) - collections.Counter(got)
        if missing or len(got) != len(want):
            first = next((i for i, (a, b) in enumerate(zip(got, want), 1) if a != b), min(len(got), len(want)) + 1)
            raise Wrong(f"{len(got)} rows, of which {len(want) - sum(missing.values())} are right, against {len(want)} "
                        f"of the independent conversion; the first difference in place is in row {first}")
        if ordered:
            raise Wrong("the rows are right but out of order")

    def digest(self, path):
        """Of all rows: how many, the sum of their hashes in any order, a hash of them in order (of this process)."""
        with open(path, "rb") as file:
            key = (hashlib.file_digest(file, "sha256").hexdigest(), *self.names)
        if key not in self.digests:
            count = total = chain = 0
            for row in self.rows(path):
                one = hash(row)
                count += 1
                total = (total + one) & (1 << 128) - 1
                chain = hash((chain, one))
            self.digests[key] = {"rows": count, "any_order": total, "in_order": chain}
        return self.digests[key]


def same_rows(found, wanted, ordered):
    return found == wanted if ordered else all(found[k] == wanted[k] for k in ("rows", "any_order"))


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)
