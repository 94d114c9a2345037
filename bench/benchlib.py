"""What the drivers in this folder share: finding the programs, sample dumps, measured runs, an independent conversion.

Python's standard library only.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
HOW_TO_BUILD = "cmake --preset release && cmake --build build"
SEED = 1
RECORD_BYTES = 1700  # of a generated record, rounded up: for room only
TMPFS = "/dev/shm"
MIB = 1 << 20


class Wrong(Exception):
    """A figure can't be trusted, or can't be had: the message says why."""


def read_jobs():
    """The jobs of peers.d/jobs.json by name; one that is like another has its columns too, its own behind them."""
    with open(os.path.join(BENCH, "peers.d", "jobs.json"), encoding="utf-8") as text:
        jobs = json.load(text)
    for name, job in jobs.items():
        if "like" in job:
            model = jobs[job["like"]]
            jobs[name] = {**model, **job, "columns": model["columns"] + job.get("columns", [])}
    return jobs


JOBS = read_jobs()


def clean_environment(**more):
    """No PENSTOCK_* of the caller's shell; CPU choice of simdjson is left alone."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    env.update(more)
    return env


class Programs:
    def __init__(self, build):
        self.build = build if os.path.isabs(build) else os.path.join(ROOT, build)
        self.penstock = self.find("penstock")
        self.profilegen = self.find("profilegen")
        self.command = self.find("bench/bench_command")

    def find(self, name):
        path = os.path.join(self.build, name)
        if not os.access(path, os.X_OK):
            raise Wrong(f"{os.path.relpath(path)} is missing: build it with '{HOW_TO_BUILD}' in {ROOT}, "
                        "or name another build folder with --build")
        return path

    def measured(self, command, cpu=None, stdout=None, env=None):
        """One run of a command: wall_s, cpu_s, peak_rss_bytes. Raises Wrong when it fails."""
        pin = [] if cpu is None else ["--cpu", str(cpu)]
        out = [] if stdout is None else ["--stdout", stdout]
        run = subprocess.run([self.command, *pin, *out, *command], capture_output=True, text=True,
                             env=env or clean_environment(), check=False)
        try:
            took = json.loads(run.stdout)
        except ValueError:
            took = {"status": run.returncode}
        if took["status"] != 0:
            raise Wrong(f"{' '.join(command)[:200]}: status {took['status']}: {run.stderr.strip()[-600:]}")
        took["cpu_s"] = took["user_s"] + took["sys_s"]
        return took

    def generate(self, path, rows, irregular=0.0):
        subprocess.run([self.profilegen, "--rows", str(rows), "--seed", str(SEED), "--irregular", str(irregular),
                        "--out", path], check=True)

    def lines(self, name, *arguments):
        """The JSON lines of one of our C programs; raises Wrong when a result is not correct."""
        command = [self.find("bench/" + name), *arguments]
        run = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), check=False)
        results = [json.loads(line) for line in run.stdout.splitlines()]
        if run.returncode != 0 or not all(r.get("correct", True) for r in results):
            raise Wrong(f"{name}: {run.stderr.strip()[-600:]}")
        return results


def scratch_parent(build, need, spare=2):
    """Where a temporary folder with `need` bytes may go: tmpfs when memory has room `spare` times over, else the build
    folder."""
    available = 0
    for line in open("/proc/meminfo", encoding="ascii"):
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    if os.path.isdir(TMPFS) and min(shutil.disk_usage(TMPFS).free, available) > spare * need:
        return TMPFS
    if shutil.disk_usage(build).free < need:
        raise Wrong(f"no room for {need // MIB} MiB of sample data; fewer --rows need less")
    return build


def cpus():
    return sorted(os.sched_getaffinity(0))


def head(source, target, rows):
    """The first records of a dump as a dump of its own."""
    with open(source, "rb") as lines, open(target, "wb") as out:
        for _, line in zip(range(rows), lines):
            out.write(line)


# ---- the independent conversion: Python's json module, and quoting as RFC 4180 has it ----

def value_at(record, path):
    for key in path:
        if isinstance(key, int):
            record = record[key] if isinstance(record, list) and key < len(record) else None
        else:
            record = record.get(key) if isinstance(record, dict) else None
        if record is None:
            return None
    return record


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise Wrong("the conversion that judges knows scalars only")
    return value


def reference_rows(path, columns, members=None):
    """Rows of text, the header first; of `members` only, if given. Numbers keep the characters of their token."""
    yield [name for name, _ in columns]
    with open(path, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            record = json.loads(line, parse_int=str, parse_float=str)
            if members and value_at(record, members["status"]) not in members["wanted"]:
                continue
            yield [text_of(value_at(record, path)) for _, path in columns]


def csv_line(row):
    return ",".join('"' + f.replace('"', '""') + '"' if any(c in f for c in ',"\n\r') else f for f in row) + "\n"


# ---- figures ----

def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def round_floats(value):
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {k: round_floats(v) for k, v in value.items()}
    if isinstance(value, list):
        return [round_floats(v) for v in value]
    return value


def write_lines(path, lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(round_floats(line)) + "\n")


def result_path(build, environment, save, kind):
    """bench/results/<date>-<commit>.jsonl when the figures are to be kept, else the build folder."""
    if not save:
        return os.path.join(build, kind + ".jsonl")
    suffix = "" if kind == "bench" else "-" + kind
    return os.path.join(BENCH, "results", f"{environment['date'][:10]}-{environment['commit']}{suffix}.jsonl")


def show_environment(environment):
    for key, value in environment.items():
        if value is not None:
            print(f"  {key:<18} {value}", file=sys.stderr)


def command_line():
    """How to run this again, as from the root of the tree."""
    return " ".join([os.path.relpath(os.path.realpath(sys.argv[0]), ROOT), *sys.argv[1:]])


def warn_when_busy():
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"note: load average {load:.2f} before the start: other work runs here, figures are smoke only",
              file=sys.stderr)
    return load


def main(run):
    """Ends the process with run()'s status; 1 and a message when a figure is wrong."""
    try:
        sys.exit(run())
    except Wrong as wrong:
        print(f"{os.path.basename(sys.argv[0])}: {wrong}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
