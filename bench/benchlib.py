"""What the drivers in this folder share: finding the programs, sample dumps, measured runs, an independent conversion,
the environment block, an end that leaves nothing behind.

Python's standard library only.
"""
import contextlib
import ctypes
import glob
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
HOW_TO_BUILD = "cmake --preset release && cmake --build build"
SEED = 1
RECORD_BYTES = 1700  # of a generated record, rounded up: for room only
MIB = 1 << 20
BUSY = 0.2  # CPUs in use before a run from which on its figures are smoke
BUSY_S = 1.0  # looked at for so long: the load average still tells of a minute ago
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 10  # for programs to clean up behind them; an export that gives up needs far less, servers some seconds
PR_SET_CHILD_SUBREAPER = 36  # of <linux/prctl.h>


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


def need(*tools, group):
    """Raises Wrong, which names them, when programs are missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise Wrong(f"not in PATH: {', '.join(missing)} (scripts/install_dependencies {group} brings them)")


@contextlib.contextmanager
def scratch(parent, prefix="penstock-bench-"):
    """A temporary folder. What still runs when it is left ends first, since it may write there; a signal that comes
    meanwhile waits until the folder is gone."""
    folder = tempfile.TemporaryDirectory(prefix=prefix, dir=parent)
    try:
        yield folder.name
    finally:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        end_children()
        folder.cleanup()
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


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


def held(value, bounds):
    """Each bound, and whether it is met: an aim goes the way of the first one."""
    least = bounds and bounds[0][0] == "at least"
    return [{"name": name, "bound": bound, "met": value >= bound if least else value <= bound}
            for name, bound in bounds]


def ratio(name, value, bounds=(), rounds=(), **facts):
    """The JSON line of a figure that bounds are about: pairs of 'at most', 'at least' or 'aim' and a number.
    `rounds`: the same figure of each round."""
    spreads = {"of_rounds": {"min": min(rounds), "max": max(rounds)}} if rounds else {}
    return {"ratio": name, "value": value, **spreads, **facts, "bounds": held(value, bounds)}


def missed(ratios):
    """Bounds that --gate asks for; aims are only said."""
    return [b for r in ratios for b in r["bounds"] if b["name"] in ("at most", "at least") and not b["met"]]


def show_ratios(ratios):
    """A line for each with its bounds, and below it what else is known of it."""
    print(file=sys.stderr)
    for r in ratios:
        def number(value, digits=3 if abs(r["value"]) >= 0.1 else 4):
            return f"{value:.{digits}f}"
        bounds = "; ".join(f"{b['name']} {b['bound']:g}: {'met' if b['met'] else 'MISSED'}" for b in r["bounds"])
        print(f"{number(r['value']):>7}  {r['ratio']}  {bounds}".rstrip(), file=sys.stderr)
        rounds = r.get("of_rounds")
        more = [f"rounds {number(rounds['min'])} to {number(rounds['max'])}"] if rounds else []
        more += [f"CPU time {number(r['of_cpu_time'])}"] if "of_cpu_time" in r else []
        more += [r[key] for key in ("simdjson_kernel", "note") if r.get(key)]
        if more:
            print(f"{'':9}{'; '.join(more)}", file=sys.stderr)


# ---- the environment block, and where lines go ----

class Begun:
    """When a run began, and what else ran here."""

    def __init__(self):
        self.load, self.busy = load_average(), cpus_in_use()
        self.time = time.monotonic()
        if self.busy > BUSY:
            print(f"note: {self.busy} CPUs in use before the start: other work runs here, figures are smoke only",
                  file=sys.stderr)

    def seconds(self):
        return time.monotonic() - self.time


def load_average():
    return round(os.getloadavg()[0], 2)


def cpus_in_use():
    """By everything that runs here, for BUSY_S."""
    def used():
        with open("/proc/stat", encoding="ascii") as stat:
            times = [int(ticks) for ticks in stat.readline().split()[1:9]]  # proc(5): user nice system idle iowait ...
        return sum(times) - times[3] - times[4]
    before = used()
    time.sleep(BUSY_S)
    return round((used() - before) / os.sysconf("SC_CLK_TCK") / BUSY_S, 2)


def command_line():
    """How to run this again, as from the root of the tree."""
    return " ".join([os.path.relpath(os.path.realpath(sys.argv[0]), ROOT), *sys.argv[1:]])


def dataset(**files):
    """SHA-256 and size of the inputs, by name; several files count as one, in their order."""
    sums, sizes = {}, {}
    for name, paths in files.items():
        sha, sizes[name] = hashlib.sha256(), 0
        for path in [paths] if isinstance(paths, str) else paths:
            sizes[name] += os.path.getsize(path)
            with open(path, "rb") as file:
                while block := file.read(MIB):
                    sha.update(block)
        sums[name] = sha.hexdigest()
    return {"dataset_sha256": sums, "dataset_bytes": sizes}


def environment(programs, begun, benchmark, dump, storage, **facts):
    """The block of a run whose outputs were right: what bench_floor says of the machine, the build and the dump, what
    all drivers know, where files were (`storage`), and `facts`, which go before all."""
    block = programs.lines("bench_floor", "--rounds", "1", "--mode", "read", dump)[0]["environment"]
    return {**block, "benchmark": benchmark, "command": command_line(), "seed": SEED, "cores_used": len(cpus()),
            "storage": storage, "cpus_in_use_before": begun.busy, "load_average": begun.load,
            "load_average_after": load_average(), "correct": "yes", "seconds": begun.seconds(), **facts}


def publish(programs, block, lines, save=False):
    """The environment block and JSON lines to standard output and into a file, the block to people too. Returns the
    path: bench/results/<date>-<commit>.jsonl when the figures are to be kept, else in the build folder."""
    lines = [round_floats(line) for line in ({"environment": block}, *lines)]
    for line in lines:
        print(json.dumps(line))
    sys.stdout.flush()
    for key, value in lines[0]["environment"].items():
        if isinstance(value, dict):
            value = "; ".join(f"{name}: {of}" for name, of in value.items())
        if value is not None:
            print(f"  {key:<18} {value}", file=sys.stderr)
    kind = block["benchmark"].removeprefix("bench/")
    path = os.path.join(programs.build, f"{'bench' if kind == 'run' else kind}.jsonl")
    if save:
        suffix = "" if kind == "run" else f"-{kind}"
        path = os.path.join(BENCH, "results", f"{block['date'][:10]}-{block['commit']}{suffix}.jsonl")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    return path


def conclude(begun, path, ratios, gate):
    """The last words, and the exit status: 1 when a bound is missed that --gate asks for, or none was held."""
    show_ratios(ratios)
    print(f"\n{begun.seconds():.0f} s; JSON lines in {os.path.relpath(path)}", file=sys.stderr)
    if gate and not any(r["bounds"] for r in ratios):
        print("--gate: no figure that has a bound was measured", file=sys.stderr)
        return 1
    return 1 if gate and missed(ratios) else 0


# ---- the end ----

def descendants():
    """Processes that this one started, and theirs; those whose parents are gone too, as main() made it their reaper."""
    parents = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(os.path.join(folder, "stat"), encoding="utf-8", errors="replace") as stat:
                state, parent = stat.read().rpartition(")")[2].split()[:2]
        except OSError:  # it has ended
            continue
        if state != "Z":
            parents[int(os.path.basename(folder))] = int(parent)
    found, level = [], [os.getpid()]
    while level:
        level = [process for process, parent in parents.items() if parent in level]
        found += level
    return found


def signal_children(number):
    for process in descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def end_children():
    """Returns when all have ended: by TERM, upon which programs clean up, or KILL when that takes too long."""
    began = time.monotonic()
    signal_children(signal.SIGTERM)
    while descendants() and time.monotonic() - began < 2 * GRACE_S:
        if time.monotonic() - began > GRACE_S:
            signal_children(signal.SIGKILL)
        time.sleep(0.02)


def end(number, _frame):
    """Of a signal: children end, and everything is cleaned up on the way out. A second signal changes nothing."""
    for other in ENDING:
        signal.signal(other, lambda _number, _frame: None)
    signal_children(signal.SIGTERM)  # nobody shall wait for one
    sys.exit(128 + number)


def main(run):
    """Ends the process with run()'s status; 1 and a message when a figure is wrong or something can't be had; 128 and
    the signal's number after a signal."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it, and a shell of what runs in the background
            signal.signal(number, end)
    try:
        sys.exit(run())
    except (Wrong, OSError, subprocess.CalledProcessError) as trouble:
        print(f"{os.path.basename(sys.argv[0])}: {trouble}", file=sys.stderr)
        sys.exit(1)
