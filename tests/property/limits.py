#!/usr/bin/env python3
"""Limits test: what a run may meet at the edges of its machine, and how it must end.

    limits.py BINARY PROFILEGEN [--big] [--only NAME] [-v]

Records of 1 byte to 64 MiB under a memory limit, giant rows, 500 columns, 100,000 rejects, memory as the kernel counts
it, sources that change under the reader, signals, full disks, two runs that want the same name. --big measures memory
with 2 GB in place of 300 MB. Standard library only; Linux.
"""
import argparse
import base64
import ctypes
import errno
import gzip
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import common
import seams

MIB = 1 << 20
ROWS, BIG_ROWS = 190000, 1250000  # about 1,610 bytes each: 300 MB, 2 GB
MEMORY_LIMIT = 256 * MIB  # what the contract promises for any dump
MODES = common.MODES
TIMEOUT = 300  # seconds: the longest run takes a few, or some tens where the machine is busy; what takes this long hangs

PROFILES = {"identity": {"column": "CustomerID", "paths": ["identityMap.CustomerID"], "missing": "skip"},
            "columns": [{"name": "First", "path": "person.name.firstName"},
                        {"name": "Email", "path": "personalEmail.address"},
                        {"name": "Products", "path": "_acmebank.products[*].code"}]}
PLAIN = {"identity": {"column": "Id", "paths": ["id"]}, "columns": [{"name": "A", "path": "a"}]}


class Failed(Exception):
    pass


def check(condition, sentence):
    if not condition:
        raise Failed(sentence)


class World:
    """Binaries and a scratch folder."""

    def __init__(self, arguments, folder):
        self.binary, self.profilegen = os.path.abspath(arguments.binary), os.path.abspath(arguments.profilegen)
        self.rows = BIG_ROWS if arguments.big else ROWS
        self.folder = folder
        self.made = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def job(self, name, spec, **more):
        """JSON is YAML."""
        path = self.path(name + ".yaml")
        with open(path, "w", encoding="utf-8") as job_file:
            json.dump({"name": name, "files": {"name": "{name}_{part}.csv"}, **spec, **more}, job_file)
        return path

    def profiles(self):
        """The dump that the cases share: they copy it before they change it."""
        path = self.path("profiles.ndjson")
        if not os.path.exists(path):
            subprocess.run([self.profilegen, "--rows", str(self.rows), "--out", path], check=True)
        return path

    def command(self, job, source, out, *flags):
        return [self.binary, "export", "-j", job, source, "--to", out, "--run-time", common.RUN_TIME, "--progress",
                "none", *flags]

    def start(self, command, stdin=subprocess.DEVNULL, **how):
        return subprocess.Popen(command, cwd=self.folder, env=common.clean_environment(), stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)

    def run(self, job, source, out, *flags, status=0, **how):
        """Runs to the end; returns standard error."""
        return end(self.start(self.command(job, source, self.path(out), *flags), **how), status)

    def content(self, out, name):
        with open(os.path.join(self.path(out), name), "rb") as data_file:
            return data_file.read()


def end(process, status):
    _, stderr = process.communicate(timeout=TIMEOUT)
    text = stderr.decode("utf-8", "replace")
    check(process.returncode == status, f"ended with {process.returncode}, not {status}: {text.strip()[-800:]}")
    return text


def check_nothing_left(folder):
    check(not os.path.exists(folder) or os.listdir(folder) == [],
          f"left behind: {sorted(os.listdir(folder)) if os.path.exists(folder) else ''}")


def least_named(stderr):
    found = re.search(r"the least that works is (\d+)MiB", stderr)
    check(found, f"the refusal names no least limit: {stderr.strip()}")
    return int(found.group(1))


# ---- memory --------------------------------------------------------------------------------------------------------


class Watcher(threading.Thread):
    """Samples a process's anonymous memory while it lives."""

    def __init__(self, process):
        super().__init__()
        self.process, self.peak, self.samples = process, 0, 0

    def run(self):
        path = f"/proc/{self.process.pid}/status"
        while self.process.poll() is None:
            try:
                with open(path, encoding="ascii", errors="replace") as status:
                    found = re.search(r"RssAnon:\s+(\d+) kB", status.read())
            except OSError:
                return
            if found:
                self.peak = max(self.peak, int(found.group(1)) * 1024)
                self.samples += 1
            time.sleep(0.001)


def measured(world, limit_bytes, job, source, out, *flags):
    """A run whose anonymous memory stays under the limit."""
    process = world.start(world.command(job, source, world.path(out), *flags, "--memory-limit", str(limit_bytes)))
    watcher = Watcher(process)
    watcher.start()
    end(process, 0)
    watcher.join()
    check(watcher.samples >= 1, "no sample of memory")  # a busy machine may let the watcher look seldom
    check(watcher.peak <= limit_bytes,
          f"{watcher.peak / MIB:.1f} MiB of anonymous memory, the limit is {limit_bytes / MIB:.1f}")
    return watcher.peak


def case_memory(world):
    source = world.profiles()
    notes, first = [], None
    for mode in MODES:
        # a buffer of max_record comes on top: with the default of 16 MiB, 256 MiB would not be enough
        job = world.job("memory", PROFILES, source={"max_record": "16MiB" if mode == "mmap" else "12MiB"})
        for threads in (2, 64):
            flags = ("--input-mode", mode, "--threads", str(threads))
            limit = MEMORY_LIMIT
            if threads == 64:
                limit = least_named(world.run(job, source, "memory", *flags, "--memory-limit", "1MiB", status=2)) * MIB
            peak = measured(world, limit, job, source, "memory", *flags)
            notes.append(f"{mode} x{threads} {peak / MIB:.0f} of {limit / MIB:.0f} MiB")
            content = world.content("memory", "memory_0001.csv")
            first = content if first is None else first
            check(content == first, f"other bytes: {notes[-1]}")
            shutil.rmtree(world.path("memory"))
    return ", ".join(notes)


# ---- sizes ---------------------------------------------------------------------------------------------------------


def case_record_sizes(world):
    """Every power of two and its neighbours, in one file; one is too large by a byte."""
    shell = len('{"id":1,"a":""}')
    sizes = sorted({s for power in range(5, 21) for s in ((1 << power) - 1, 1 << power, (1 << power) + 1)} |
                   {4 * MIB, 16 * MIB, 64 * MIB})
    wanted, offset = ["Id,A\n"], 0
    with open(world.path("sizes.ndjson"), "wb") as dump:
        for text in (b"7\n", b"{}\n", b"\n", b'{"id":1}\n'):  # 1, 2, 0 and 8 bytes
            dump.write(text)
        wanted.append("1,\n")
        for size in sizes:
            letters = "abcdefgh"[size % 8] * (size - shell)
            dump.write(b'{"id":1,"a":"' + letters.encode() + b'"}\n')
            wanted.append(f"1,{letters}\n")
        offset = dump.tell()
        dump.write(b'{"id":1,"a":"' + b"x" * (64 * MIB + 1 - shell) + b'"}\n{"id":2}\n')
        wanted.append("2,\n")
    wanted = "".join(wanted).encode()
    job = world.job("sizes", PLAIN, source={"max_record": "64MiB"}, rejects={"path": "rejects.jsonl", "max": 3})
    notes = []
    for threads, mode in ((1, "mmap"), (3, "read"), (2, MODES[-1])):
        flags = ("--threads", str(threads), "--input-mode", mode)
        least = least_named(world.run(job, "sizes.ndjson", "sizes", *flags, "--memory-limit", "1MiB", status=2))
        for limit in (least, 2048):
            peak = measured(world, limit * MIB, job, "sizes.ndjson", "sizes", *flags)
            check(world.content("sizes", "sizes_0001.csv") == wanted, f"wrong rows: {flags}, {limit} MiB")
            with open(world.path("rejects.jsonl"), encoding="utf-8") as rejects:
                lines = [json.loads(line) for line in rejects]
            got = [(r["code"], r["line"], r["offset"], r["length"], len(base64.b64decode(r["raw"]))) for r in lines]
            check(got == [("not_an_object", 1, 0, 1, 1), ("missing_identity", 2, 2, 2, 2),
                          ("too_large", 5 + len(sizes), offset, 64 * MIB + 1, 65536)], f"wrong rejects: {got}")
            shutil.rmtree(world.path("sizes"))
        notes.append(f"{threads} threads: {peak / MIB:.0f} MiB, least {least}")
    os.remove(world.path("sizes.ndjson"))
    return "; ".join(notes)


def case_container_sizes(world):
    """64 MiB in containers that are no lines, and a byte more. Of an entity what is around it does not count."""
    job = world.job("inside", PLAIN, source={"max_record": "64MiB"}, rejects={"path": "inside.jsonl", "max": 1})
    notes = []
    for name in ("array", "concatenated", "entities", "under a key"):
        good, bad = (b'{"id":2,"a":"' + b"y" * (size - 15) + b'"}' for size in (64 * MIB, 64 * MIB + 1))
        text = seams.contain(name, [b'{"id":1}', b'{"id":1}', good, bad, b'{"id":3}'], b"\n", b"")[0]
        wanted = b"Id,A\n1,\n1,\n2," + good[13:-2] + b"\n3,\n"
        with open(world.path("inside"), "wb") as dump:
            dump.write(text)
        subprocess.run(["zstd", "-q1f", world.path("inside"), "-o", world.path("inside.zst")], check=True)
        for source, threads in (("inside", "3"), ("inside.zst", "2")):
            flags = ("--threads", threads, "--input-mode", "read")
            least = least_named(world.run(job, source, "inside_out", *flags, "--memory-limit", "1MiB", status=2))
            peak = measured(world, least * MIB, job, source, "inside_out", *flags)
            check(world.content("inside_out", "inside_0001.csv") == wanted, f"{name}, {source}: wrong rows")
            with open(world.path("inside.jsonl"), encoding="utf-8") as rejects:
                codes = [(reject["code"], reject["length"]) for reject in map(json.loads, rejects)]
            check(codes == [("too_large", 64 * MIB + 1)], f"{name}, {source}: {codes}")
            shutil.rmtree(world.path("inside_out"))
            notes.append(f"{name} {peak / MIB:.0f} of {least} MiB")
    os.remove(world.path("inside"))
    return ", ".join(notes)


def case_dense_records(world):
    """Records whose every byte costs memory: millions of values, all of them wanted, then one that is broken."""
    values = ",".join(str(10**8 - i) for i in range(6800000))
    with open(world.path("dense.ndjson"), "w", encoding="ascii") as dump:
        dump.write(f'{{"id":1,"b":[{values}]}}\n')
        dump.write('{"id":2,"b":[' + "[]," * (20 * MIB) + "]}\n")
        dump.write('{"id":3,"b":[3]}\n')
    spec = {"identity": PLAIN["identity"], "columns": [{"name": "B", "path": "b[*]", "transform": ["lower"]},
                                                       {"name": "J", "path": "b"}]}
    job = world.job("dense", spec, source={"max_record": "64MiB"}, rejects={"path": "dense.jsonl", "max": 1})
    notes = []
    for mode in MODES:
        flags = ("--threads", "2", "--input-mode", mode)
        least = least_named(world.run(job, "dense.ndjson", "dense", *flags, "--memory-limit", "1MiB", status=2))
        peak = measured(world, least * MIB, job, "dense.ndjson", "dense", *flags)
        joined = values.replace(",", "|")
        check(world.content("dense", "dense_0001.csv").decode() == f'Id,B,J\n1,{joined},"[{values}]"\n3,3,[3]\n',
              f"{mode}: wrong rows")
        shutil.rmtree(world.path("dense"))
        notes.append(f"{mode} {peak / MIB:.0f} of {least} MiB")
    os.remove(world.path("dense.ndjson"))
    return ", ".join(notes)


def case_giant_rows(world):
    value = ('say ""hi"", ' + "v" * 1000) * (20 * MIB // 1012)
    raw = value.replace('""', '\\"')
    with open(world.path("giant.ndjson"), "w", encoding="ascii") as dump:
        dump.write(f'{{"id":1,"a":"s"}}\n{{"id":2,"a":"{raw}"}}\n{{"id":3,"a":"t"}}\n')
    spec = {"identity": PLAIN["identity"], "columns": [{"name": f"A{i}", "path": "a"} for i in range(3)]}
    job = world.job("giant", spec, source={"max_record": "32MiB"})
    cut = world.job("cut", spec, source={"max_record": "32MiB"},
                    files={"name": "{name}_{part}.csv", "max_bytes": "1MiB"})
    header = "Id,A0,A1,A2\n"
    row = ",".join(["2"] + [f'"{value}"'] * 3) + "\n"
    for threads in (1, 3):
        world.run(job, "giant.ndjson", "giant", "--threads", str(threads))
        check(world.content("giant", "giant_0001.csv").decode() ==
              header + "1,s,s,s\n" + row + "3,t,t,t\n", "wrong rows")
        stderr = world.run(cut, "giant.ndjson", "giant", "--threads", str(threads))
        check("cut_0002.csv" in stderr and str(len(row)) in stderr, f"no warning of the large row: {stderr}")
        parts = [world.content("giant", f"cut_000{part}.csv").decode() for part in (1, 2, 3)]
        check(parts == [header + "1,s,s,s\n", header + row, header + "3,t,t,t\n"], "wrong cut")
        shutil.rmtree(world.path("giant"))
    return f"rows of {len(row) / MIB:.0f} MiB"


def case_columns(world):
    """500 columns, the identity's among them; 501 are refused."""
    count, rows = 499, 2000
    columns = [{"name": f"Column_{i:04}", "path": f"attributes.attribute_{i:04}"} for i in range(count)]
    wanted = [",".join(["Id"] + [c["name"] for c in columns])]
    with open(world.path("wide.ndjson"), "w", encoding="ascii") as dump:
        for r in range(rows):
            names = [(i * 7 + r) % count for i in range(0 if r % 3 else count)] or range(0, count, 1 + r % 50)
            dump.write(json.dumps({"id": r, "attributes": {f"attribute_{i:04}": f"v{r}.{i}" for i in names}}) + "\n")
            have = set(names)
            wanted.append(",".join([str(r)] + [f"v{r}.{i}" if i in have else "" for i in range(count)]))
    job = world.job("wide", {"identity": PLAIN["identity"], "columns": columns})
    for threads in (1, 3):
        world.run(job, "wide.ndjson", "wide", "--threads", str(threads))
        check(world.content("wide", "wide_0001.csv").decode() == "\n".join(wanted) + "\n", "wrong rows")
        shutil.rmtree(world.path("wide"))
    job = world.job("wide", {"identity": PLAIN["identity"], "columns": columns + [{"name": "More", "path": "more"}]})
    stderr = world.run(job, "wide.ndjson", "wide", status=78)
    check("500" in stderr, f"the refusal names no limit: {stderr}")
    return f"{rows} rows"


def case_rejects(world):
    """100,000 rejects: none is lost, in input order; the budget is exact."""
    bad, wanted, offset = 100000, [], 0
    forms = ['{{"id":{0},"a":broken}}', '{{"a":"no id {0}"}}', '{{"id":{0},"a":"open}}', '[{0}]']
    codes = ["syntax", "missing_identity", "unclosed_string", "not_an_object"]
    line = 0
    with open(world.path("bad.ndjson"), "w", encoding="ascii") as dump:
        for i in range(bad):
            text = forms[i % 4].format(i)
            line += 1
            wanted.append((codes[i % 4], offset, len(text), line, text))
            dump.write(text + "\n")
            offset += len(text) + 1
            if i % 10 == 0:
                text = f'{{"id":{i},"a":"good"}}\n'
                line += 1
                dump.write(text)
                offset += len(text)
    job, first = world.job("bad", PLAIN), None
    for threads in (1, 3):
        flags = ("--rejects", "bad.jsonl", "--threads", str(threads), "--shard-size", "64K")
        world.run(job, "bad.ndjson", "bad", *flags, "--max-rejects", str(bad))
        check(world.content("bad", "bad_0001.csv").count(b"\n") == bad // 10 + 1, "wrong number of rows")
        with open(world.path("bad.jsonl"), "rb") as rejects:
            text = rejects.read()
        first = text if first is None else first
        check(text == first, "the reject file depends on the threads")
        shutil.rmtree(world.path("bad"))
        stderr = world.run(job, "bad.ndjson", "bad", *flags, "--max-rejects", str(bad - 1), status=65)
        check(f"{bad} records failed" in stderr, f"wrong count: {stderr}")
        with open(world.path("bad.jsonl"), "rb") as rejects:
            check(rejects.read() == first, "other reject lines when the budget is passed by the last of them")
        check_nothing_left(world.path("bad"))
    got = [json.loads(one) for one in first.splitlines()]
    got = [(r["code"], r["offset"], r["length"], r["line"], base64.b64decode(r["raw"]).decode()) for r in got]
    check(got == wanted, f"wrong reject lines: {next(((g, w) for g, w in zip(got, wanted) if g != w), None)}")
    return f"{len(first) / MIB:.0f} MiB of reject lines"


# ---- compressed sources --------------------------------------------------------------------------------------------


def case_streams(world):
    """Compressed files and standard input keep the limit and give what the plain file gives."""
    source = world.profiles()
    if shutil.which("zstd") is None:
        raise Failed("zstd is not installed (scripts/install_dependencies test)")
    subprocess.run(["zstd", "-q", "-f", source, "-o", world.path("profiles.zst")], check=True)
    os.makedirs(world.path("parts"), exist_ok=True)
    with open(source, "rb") as dump:
        lines = dump.readlines(64 * MIB)
        for number in range(4):
            with gzip.open(world.path(f"parts/{number}.gz"), "wb", 1) as part:
                part.writelines(lines)
            lines = dump.readlines(64 * MIB) if number < 2 else dump.readlines()
    job = world.job("streams", PROFILES, source={"max_record": "1MiB"})
    world.run(job, source, "streams")
    wanted = world.content("streams", "streams_0001.csv")
    notes = []
    for name in ("profiles.zst", "parts"):
        least = least_named(world.run(job, name, "packed", "--threads", "2", "--memory-limit", "1MiB", status=2)) * MIB
        for limit in (least, MEMORY_LIMIT):
            peak = measured(world, limit, job, name, "packed", "--threads", "2")
            check(world.content("packed", "streams_0001.csv") == wanted, f"{name}: other bytes")
            shutil.rmtree(world.path("packed"))
            notes.append(f"{name} {peak / MIB:.0f} of {limit / MIB:.0f} MiB")
    shutil.rmtree(world.path("streams"))
    return ", ".join(notes)


def case_long_front(world):
    """Standard input is looked at for its form as far as that takes, and keeps the limit."""
    job = world.job("front", PLAIN, source={"max_record": "1MiB"}, rejects={"path": "rejects.jsonl", "max": 1})
    text = b'{"id":1,"z":"' + b"x" * (15 * MIB) + b'"}' + b'{"id":2,"a":"v"}' * 1000
    notes = []
    for name, content in (("plain", text), ("gz", gzip.compress(text, 1))):
        with open(world.path(name), "wb") as source:
            source.write(content)
        flags = ("--threads", "2", "--memory-limit")
        least = least_named(world.run(job, "-", "front", *flags, "1MiB", status=2))
        with open(world.path(name), "rb") as source:
            process = world.start(world.command(job, "-", world.path("front"), *flags, f"{least}MiB"), stdin=source)
        watcher = Watcher(process)
        watcher.start()
        end(process, 0)
        watcher.join()
        check(watcher.peak <= least * MIB, f"{watcher.peak / MIB:.1f} MiB of anonymous memory, the limit is {least}")
        rows = world.content("front", "front_0001.csv")
        check(rows == b"Id,A\n" + b"2,v\n" * 1000, f"{name}: other rows")
        shutil.rmtree(world.path("front"))
        notes.append(f"{name} {watcher.peak / MIB:.0f} of {least} MiB")
    return ", ".join(notes)


def case_waiting_pipe(world):
    """A run that waits for a pipe ends as soon as it is told to."""
    job = world.job("pipe", PLAIN)
    reader, writer = os.pipe()
    process = subprocess.Popen(world.command(job, "-", world.path("pipe")), cwd=world.folder, stdin=reader,
                               env=common.clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(reader)
    os.write(writer, b'{"id":1}\n' * 10000)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    end(process, 143)  # while the pipe is still open: else it would wait for ever
    waited = time.monotonic() - began
    os.close(writer)
    check_nothing_left(world.path("pipe"))
    return f"{waited * 1000:.0f} ms"


def case_many_files(world):
    """More files than a process may open at first."""
    count = 3000
    os.makedirs(world.path("many"), exist_ok=True)
    for number in range(count):
        name = world.path(f"many/{number:05}.json")
        text = f'{{"id":{number},"a":"v"}}\n'.encode()
        with open(name + (".gz" if number % 2 else ""), "wb") as part:
            part.write(gzip.compress(text) if number % 2 else text)
    wanted = "Id,A\n" + "".join(f"{number},v\n" for number in range(count))
    job = world.job("many", PLAIN)

    def few(hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))

    world.run(job, "many", "out", "--threads", "3", preexec_fn=lambda: few(4096))
    check(world.content("out", "many_0001.csv").decode() == wanted, "wrong rows")
    shutil.rmtree(world.path("out"))
    stderr = world.run(job, "many", "out", status=74, preexec_fn=lambda: few(1000))
    check("ulimit -n" in stderr, f"no remedy: {stderr}")
    shutil.rmtree(world.path("many"))
    return f"{count} files"


# ---- runs that are caught in the middle ----------------------------------------------------------------------------


def rows_of_profiles(world):
    """Bytes of the CSV that PROFILES makes of the shared dump."""
    if "rows" not in world.made:
        world.run(world.job("rows", PROFILES), world.profiles(), "rows")
        world.made["rows"] = os.path.getsize(os.path.join(world.path("rows"), "rows_0001.csv"))
        shutil.rmtree(world.path("rows"))
    return world.made["rows"]


def caught(world, job, source, out, *flags):
    """A run over the profiles that is stopped (SIGSTOP) after it began to write and before half of it is written: not in
    its end, where it looks at nothing any more."""
    folder, half = world.path(out), rows_of_profiles(world) // 2
    for _ in range(100):
        process = world.start(world.command(job, source, folder, "--threads", "1", "--shard-size", "1M", *flags))
        while process.poll() is None:
            try:
                sizes = [entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".tmp")]
            except FileNotFoundError:
                sizes = []
            if sizes and max(sizes) > 0:
                process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                sizes = [entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".tmp")]
                with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] == "T" and sizes and max(sizes) < half:
                        return process
                process.send_signal(signal.SIGCONT)
                break
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)
    raise Failed("no run was slow enough to be caught in the middle")


def release(process, status):
    process.send_signal(signal.SIGCONT)
    return end(process, status)


def truncate_half(path):
    os.truncate(path, os.path.getsize(path) * 9 // 10)


def truncate_all(path):
    os.truncate(path, 0)


def truncate_and_refill(path):
    size = os.path.getsize(path)
    os.truncate(path, size // 2)
    os.truncate(path, size)


def grow(path):
    with open(path, "ab") as source:
        source.write(b'{"more":1}\n')


def overwrite(path):
    """Other contents of the same length, in the same file."""
    with open(path, "r+b") as source:
        source.seek(-100, os.SEEK_END)
        source.write(b" " * 50)


def case_changed_sources(world):
    job, origin = world.job("changed", PROFILES), world.profiles()
    source = world.path("changing.ndjson")
    changes = [(truncate_half, "shorter"), (truncate_all, "shorter"), (truncate_and_refill, "changing.ndjson"),
               (grow, "grew"), (overwrite, "modified")]
    for mode in MODES:
        for change, word in changes:
            shutil.copyfile(origin, source)
            process = caught(world, job, source, "changed", "--input-mode", mode, "--rejects", "changed.jsonl",
                             "--max-rejects", "100%")
            change(source)
            stderr = release(process, 74)
            check(source in stderr and word in stderr, f"{mode}, {change.__name__}: no message about it: {stderr}")
            check_nothing_left(world.path("changed"))
    # What takes the file's name leaves the open file whole: that one is read to its end.
    world.run(job, origin, "wanted")
    for mode in MODES:
        shutil.copyfile(origin, source)
        process = caught(world, job, source, "changed", "--input-mode", mode)
        with open(source + ".new", "wb") as other:
            other.write(b"{}\n")
        os.replace(source + ".new", source)
        release(process, 0)
        check(world.content("changed", "changed_0001.csv") == world.content("wanted", "changed_0001.csv"),
              f"{mode}: a file that takes the source's name changes the output")
        shutil.rmtree(world.path("changed"))
    shutil.rmtree(world.path("wanted"))
    os.remove(source)
    return f"{len(MODES) * len(changes)} changes end with 74, {len(MODES)} renames do no harm"


# ---- reads around the page cache ------------------------------------------------------------------------------------


def refuse(call, bits, error):
    """From now on a system call of this process fails when its third argument has these bits: seccomp(2)."""
    # load the call's number; load the low half of args[2]; a mask; errno or allow: linux/bpf_common.h
    code = [(0x20, 0, 0, 0), (0x15, 0, 4, call), (0x20, 0, 0, 32), (0x54, 0, 0, bits), (0x15, 0, 1, bits),
            (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7fff0000)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def case_direct(world):
    """Who may have no io_uring, or no O_DIRECT; input that no page cache can hold."""
    if common.LEFT_OUT:
        return f"left out: {common.LEFT_OUT}"
    job, source = world.job("around", PLAIN), world.path("around.ndjson")
    with open(source, "w", encoding="ascii") as dump:
        for number in range(100000):
            dump.write(f'{{"id":{number},"a":"{"x" * (number % 90)}"}}\n')
    world.run(job, source, "wanted", "--input-mode", "read")
    wanted = world.content("wanted", "around_0001.csv")
    calls = {"x86_64": 72, "aarch64": 25}
    refusals = [(lambda: refuse(425, 0, errno.EPERM), "io_uring", "Operation not permitted"),
                (lambda: refuse(425, 0, errno.ENOSYS), "io_uring", "Function not implemented")]
    if os.uname().machine in calls:
        refusals.append((lambda: refuse(calls[os.uname().machine], os.O_DIRECT, errno.EINVAL), source, "page cache"))
    # a hole of more than memory behind the first records: of these alone a sample is taken
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    vast = world.path("vast.ndjson")
    shutil.copyfile(source, vast)
    os.truncate(vast, memory + 64 * MIB)

    def look(**how):
        return end(world.start([world.binary, "check", "-v", "-j", job, vast, "--to", "null:", "--sample", "1000",
                                "--progress", "none"], **how), 0)

    check("around the page cache" in look(), "a vast file is read through the page cache")
    for act, where, why in refusals:
        stderr = world.run(job, source, "out", "--input-mode", "direct", status=2, preexec_fn=act)
        check(where in stderr and why in stderr and "--input-mode read" in stderr, f"no message: {stderr}")
        check("around the page cache" not in look(preexec_fn=act), "what is refused is not refused")
    for flags in (["--threads", "1"], ["--threads", "5"], ["--threads", "2", "--shard-size", "100KB"]):
        world.run(job, source, "out", "--input-mode", "direct", *flags)
        check(world.content("out", "around_0001.csv") == wanted, f"other bytes: {flags}")
        shutil.rmtree(world.path("out"))
    for path in (source, vast):
        os.remove(path)
    shutil.rmtree(world.path("wanted"))
    return f"{len(refusals)} refusals"


def case_signals(world):
    job, source = world.job("stopped", PROFILES), world.profiles()
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        for mode in MODES:
            process = caught(world, job, source, "stopped", "--input-mode", mode, "--report", "stopped.json")
            process.send_signal(number)
            release(process, status)
            check_nothing_left(world.path("stopped"))
            with open(world.path("stopped.json"), encoding="utf-8") as report:
                metrics = json.load(report)["metrics"]
            check(metrics["statusSummary"]["status"] == "failed", "the report says success")
            check(metrics["fileSummary"]["outputFileCount"] == 0, "the report lists files")
    return "130, 143"


# ---- destinations --------------------------------------------------------------------------------------------------


def case_full_disk(world):
    job, source = world.job("full", PROFILES), world.profiles()
    notes = []
    folder = world.path("small")
    os.makedirs(folder, exist_ok=True)
    # in a mount namespace of its own: gone with its last process, whatever happens
    script = ('mount -t tmpfs -o size=1m none "$0" || exit 99\n"$@"\nstatus=$?\n'
              'ls -A "$0" "$0/out" 2>/dev/null | grep -v ":$" | grep -v "^out$" | grep .\nexit $status')
    mounts = shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "sh", "-c", script, folder, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False).returncode == 0
    if mounts:
        out = os.path.join(folder, "out")
        for threads in ("1", "3"):
            command = world.command(job, source, out, "--threads", threads)
            process = world.start(["unshare", "-m", "sh", "-c", script, folder, *command])
            left, stderr = process.communicate(timeout=TIMEOUT)
            text = stderr.decode("utf-8", "replace")
            check(process.returncode == 74, f"tmpfs: ended with {process.returncode}: {text[-600:]}")
            check("No space left" in text, f"tmpfs: no message about it: {text}")
            check(left.strip() == b"", f"tmpfs: left behind: {left!r}")
        notes.append("tmpfs of 1 MiB")

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    for threads in ("1", "3"):
        stderr = world.run(job, source, "full", "--threads", threads, status=74, preexec_fn=small_files)
        check("full_0001.csv" in stderr, f"file size limit: no message about it: {stderr}")
        check_nothing_left(world.path("full"))
    notes.append("file size limit of 1 MiB" + ("" if mounts else " (no tmpfs: mounting is not allowed here)"))
    return ", ".join(notes)


def case_race(world):
    """Both see a free name; one delivers, the other ends with 73 and leaves the first one's file alone."""
    job, source = world.job("race", PLAIN), "race.ndjson"
    with open(world.path(source), "w", encoding="ascii") as dump:
        for i in range(20000):
            dump.write(f'{{"id":{i},"a":"value {i}"}}\n')
    with open(world.path("race.ndjson"), encoding="ascii") as dump:
        wanted = "Id,A\n" + "".join(f"{r['id']},{r['a']}\n" for r in map(json.loads, dump))
    rounds = 25
    for _ in range(rounds):
        command = world.command(job, source, world.path("race"), "--threads", "1")
        runs = [world.start(command) for _ in range(2)]
        texts = [run.communicate(timeout=TIMEOUT)[1].decode("utf-8", "replace") for run in runs]
        check(sorted(run.returncode for run in runs) == [0, 73], f"ended with {[r.returncode for r in runs]}: {texts}")
        check(os.listdir(world.path("race")) == ["race_0001.csv"], f"left behind: {os.listdir(world.path('race'))}")
        check(world.content("race", "race_0001.csv").decode() == wanted, "the file is not whole")
        shutil.rmtree(world.path("race"))
    return f"{rounds} rounds"


CASES = [case_record_sizes, case_container_sizes, case_dense_records, case_giant_rows, case_columns, case_rejects,
         case_memory, case_streams, case_long_front, case_waiting_pipe, case_many_files, case_changed_sources,
         case_direct, case_signals, case_full_disk, case_race]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("profilegen")
    parser.add_argument("--big", action="store_true", help="memory with a dump of 2 GB")
    parser.add_argument("--only", metavar="NAME", help="one case: " + ", ".join(c.__name__[5:] for c in CASES))
    parser.add_argument("-v", action="store_true", help="what each case saw")
    arguments = parser.parse_args()
    failures = 0
    chosen = [case for case in CASES if arguments.only in (None, case.__name__[5:])]
    if not chosen:
        parser.error(f"no case is called {arguments.only}")
    with tempfile.TemporaryDirectory(prefix="penstock-limits-") as folder:
        world = World(arguments, folder)
        for case in chosen:
            began = time.monotonic()
            try:
                note = case(world)
            except (Failed, subprocess.TimeoutExpired, OSError) as error:
                failures += 1
                print(f"FAIL {case.__name__[5:]}: {error}")
                continue
            if arguments.v:
                print(f"ok {time.monotonic() - began:5.1f} s  {case.__name__[5:]}: {note}")
    print(f"limits: {len(chosen)} cases, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
