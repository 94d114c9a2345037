"""The same dump in other wrappings: compressed in one piece or in many, in directories, through standard input. What
comes out must be what the plain files give. Standard library only; zstd is its own tool where there is one, and frames
of raw blocks otherwise."""
import copy
import gzip
import os
import random
import shutil
import subprocess

import common

THREADS = [1, 2, 3, 8]


def pieces(r, data):
    """Cut at random places; some pieces may be empty."""
    cuts = sorted(r.randint(0, len(data)) for _ in range(r.choice([0, 0, 1, 2, 7])))
    return [data[a:b] for a, b in zip([0] + cuts, cuts + [len(data)])]


def raw_frame(data):
    """A zstd frame of raw blocks (RFC 8878, 3.1.1), with the smallest window and no checksum."""
    blocks = [data[at:at + 1024] for at in range(0, len(data), 1024)] or [b""]
    frame = b"\x28\xb5\x2f\xfd\x00\x00"
    for number, block in enumerate(blocks):
        header = len(block) << 3 | (number == len(blocks) - 1)
        frame += header.to_bytes(3, "little") + block
    return frame


def zstd_frame(r, data):
    if r.random() < 0.3 or shutil.which("zstd") is None:
        return raw_frame(data)
    level = r.choice(["-1", "-3", "-12"])
    return subprocess.run(["zstd", "-q", "-c", level, r.choice(["--check", "--no-check"])], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def pack(r, data):
    """Returns the stored bytes."""
    form = r.choice(["plain", "gzip", "gzip", "zstd", "zstd"])
    if form == "gzip":
        return b"".join(gzip.compress(piece, r.choice([0, 1, 6, 9])) for piece in pieces(r, data))
    if form == "zstd":
        stored = b"".join(zstd_frame(r, piece) for piece in pieces(r, data))
        skippable = b"\x5a\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
        return stored + skippable * (r.random() < 0.2)
    return data


class Packed:
    """One wrapping of a case's sources."""

    def __init__(self, case, seed):
        r = random.Random(f"packed {seed}")
        self.r = r
        self.stored = [pack(r, data) for _, data in case.sources]
        places = ["files", "folder"] + ["stdin"] * (len(case.sources) == 1)
        self.place = r.choice(places)
        prefix = "d/" if self.place == "folder" else ""
        self.names = ["-"] if self.place == "stdin" else [prefix + name for name, _ in case.sources]
        self.arguments = ["d"] if self.place == "folder" else self.names
        sources = sorted(zip(self.names, [data for _, data in case.sources]), key=lambda s: os.fsencode(s[0]))
        self.result = copy.copy(common.convert(case.spec, sources))
        self.result.input_bytes = sum(map(len, self.stored))

    def run(self, binary, folder, spec):
        """(problems, flags) of a run by one thread and one by several, which must agree with each other, too."""
        os.makedirs(os.path.join(folder, "d"), exist_ok=True)
        for name, stored in zip(self.names, self.stored):
            with open(os.path.join(folder, "stdin" if name == "-" else name), "wb") as source:
                source.write(stored)
        stdin = os.path.join(folder, "stdin") if self.place == "stdin" else None
        first = None
        for threads in (1, self.r.choice(THREADS)):
            flags = ["--threads", str(threads)]
            outcome = common.run(binary, folder, "job.yaml", self.arguments, flags, stdin)
            problems = common.compare(self.result, outcome, not common.stops_early(spec, self.result))
            seen = (outcome.files, outcome.rejects, (outcome.report or {}).get("metrics", {}).get("recordSummary"))
            first = seen if first is None else first
            if not problems and seen != first:
                problems = ["threads: files, rejects or record counts differ from those of one thread"]
            if problems:
                return problems, flags
        return [], []
