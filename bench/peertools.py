"""The tools of bench/peers: where they come from, which settings of them run which job, and how.

Python's standard library only. Scripts of the tools are in peers.d/, with npm's lists of packages and their digests.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import benchlib
from benchlib import Wrong

SCRIPTS = os.path.join(benchlib.BENCH, "peers.d")
MACHINE = {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
# npm's packages whose version is told.
NPM = {"duckdb": "@duckdb/node-api", "clickhouse": "chdb", "polars": "nodejs-polars"}
# Debian's packages of the others; orjson is in Debian 13 and later, elsewhere any Python that has it will do.
DEBIAN = {"jq": "jq", "miller": "miller", "igzip": "isal", "zstd": "zstd", "orjson": "python3-orjson"}
PROGRAM = {"miller": "mlr"}
TOOLS = ["duckdb", "clickhouse", "polars", "on_demand", "orjson", "python", "jq", "miller", "igzip", "zstd"]
INSTALLED = "scripts/install_dependencies peers"


class Peer:
    """One tool with one setting for one job. `command(task, input, target)` is what runs it.

    ordered: it keeps the rows' order. slow: takes the first records only. limit: no conversion at all but what a
    program that only unpacks the input takes, so nothing is checked but its bytes."""

    def __init__(self, tool, name, command, threads, ordered=True, slow=False, limit=False, env=None, setting=None):
        self.tool, self.name, self.command, self.threads = tool, name, command, threads
        self.ordered, self.slow, self.limit, self.setting = ordered, slow, limit, setting
        self.env = env or {}
        self.laps, self.starts, self.output_bytes = [], [], None

    def run(self, programs, job, source, target):
        """A measured run; leaves the CSV in `target`."""
        if os.path.exists(target):
            os.remove(target)
        task = target + ".task.json"
        with open(task, "w", encoding="utf-8") as text:
            json.dump({"columns": job.columns, "members": job.members, "sources": source.sources, "target": target,
                       "threads": self.threads, "setting": self.setting}, text)
        cpu = benchlib.cpus()[0] if self.threads == 1 and not (self.slow or self.limit) else None
        return programs.measured(self.command(task, source, target), cpu=cpu,
                                 env=benchlib.clean_environment(**self.env))


class Penstock(Peer):
    """To a directory, which holds the one file in the end: it is moved to the target when the clock has stopped."""

    def __init__(self, programs, job, threads):
        def command(task, source, target):
            return [programs.penstock, "export", "-q", "-j", job.file, *source.sources, "--to", self.folder,
                    "--threads", str(threads)]
        super().__init__("penstock", "penstock", command, threads)
        self.folder = None

    def run(self, programs, job, source, target):
        self.folder = tempfile.mkdtemp(dir=os.path.dirname(target))
        try:
            took = super().run(programs, job, source, target)
            names = os.listdir(self.folder)
            if len(names) != 1:
                raise Wrong(f"penstock wrote {len(names)} files instead of one")
            os.replace(os.path.join(self.folder, names[0]), target)
        finally:
            shutil.rmtree(self.folder)
        return took


# ---- where tools come from ----

def npm_folder(programs, package):
    cache = os.environ.get("XDG_CACHE_HOME")
    return os.path.join(cache, "penstock-peers", package) if cache else os.path.join(programs.build, "peers", package)


def npm_install(folder, package, path):
    """From our list of exact versions and digests, with install scripts off (none is needed). Why not, or None.

    Not `npm ci`: that refuses a list without those packages for other systems that a registry may not have."""
    wanted = [os.path.join(SCRIPTS, f"npm-{package}{kind}.json") for kind in ("", ".lock")]
    if is_installed(package, folder):
        return None
    if shutil.which("npm") is None:
        return "npm is not installed (Debian package npm)"
    os.makedirs(folder, exist_ok=True)
    for source, name in zip(wanted, ("package.json", "package-lock.json")):
        shutil.copyfile(source, os.path.join(folder, name))
    print(f"installing {package} from npm …", file=sys.stderr)
    run = subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder,
                         capture_output=True, text=True, check=False, env=dict(os.environ, PATH=path))
    if run.returncode != 0:
        return "npm: " + run.stderr.strip()[-300:]
    shutil.copyfile(wanted[1], os.path.join(folder, "installed.json"))
    return None


def is_installed(package, folder):
    """What was installed is what our list asks for now."""
    done = os.path.join(folder, "installed.json")
    if not os.path.exists(done):
        return False
    with open(done, "rb") as mark, open(os.path.join(SCRIPTS, f"npm-{package}.lock.json"), "rb") as wanted:
        return mark.read() == wanted.read()


class Tools:
    """What is there to run. `missing` says aloud, once, why a tool isn't."""

    def __init__(self, options, programs):
        self.options, self.programs = options, programs
        self.node = os.path.join(npm_folder(programs, "node"), "node_modules", f"node-linux-{MACHINE}", "bin", "node")
        self.python = None
        self.versions, self.left_out = {}, {}
        self.wanted = options.only.split(",") if options.only else list(QUICK) if options.quick else TOOLS
        if not options.no_install:
            self.debian()
        self.there = [tool for tool in TOOLS if tool in self.wanted and self.look(tool)]

    def debian(self):
        """jq, Miller and those that unpack, from Debian, where one of them is missing and Debian is there."""
        if all(self.program(tool) for tool in self.wanted if tool in DEBIAN and tool != "orjson"):
            return
        run = subprocess.run([os.path.join(benchlib.ROOT, "scripts", "install_dependencies"), "peers"],
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(f"{INSTALLED}: {(run.stderr or run.stdout).strip()[-300:]}", file=sys.stderr)

    def program(self, tool):
        return shutil.which(PROGRAM.get(tool, tool))

    def look(self, tool):
        why = self.why_not(tool)
        if why is None:
            self.versions[tool] = self.version(tool)
            return True
        self.left_out[tool] = why
        print(f"left out: {tool}: {why}", file=sys.stderr)
        return False

    def why_not(self, tool):
        if tool in NPM:
            return self.from_npm("node", os.environ["PATH"]) or \
                self.from_npm(tool, os.path.dirname(self.node) + ":" + os.environ["PATH"])
        if tool == "orjson":
            able = (p for p in ("python3", "/usr/bin/python3") if run_text([p, "-c", "import orjson"]) is not None)
            self.python = next(able, None)
            return None if self.python else f"no Python has it (Debian package {DEBIAN[tool]})"
        if tool == "on_demand":
            self.programs.find("bench/bench_on_demand")
            return None
        if tool in DEBIAN and self.program(tool) is None:
            return f"not installed (Debian package {DEBIAN[tool]}; {INSTALLED})"
        if tool == "miller" and self.program("jq") is None:
            return "needs jq, for its expression"
        return None

    def from_npm(self, package, path):
        folder = npm_folder(self.programs, package)
        if self.options.no_install and not is_installed(package, folder):
            return "not installed, and --no-install is given"
        return npm_install(folder, package, path)

    def version(self, tool):
        if tool in NPM:
            with open(os.path.join(SCRIPTS, f"npm-{tool}.lock.json"), encoding="utf-8") as text:
                packages = json.load(text)["packages"]
            engine = next((entry["version"] for name, entry in packages.items() if "@chdb/lib" in name), None)
            version = packages["node_modules/" + NPM[tool]]["version"]
            return f"{NPM[tool]} {version}" + (f" ({engine})" if engine else "")
        if tool == "orjson":
            told = "import orjson, platform; print(f'orjson {orjson.__version__} (Python {platform.python_version()})')"
            return run_text([self.python, "-c", told])
        if tool == "python":
            return "Python " + ".".join(map(str, sys.version_info[:3]))
        if tool == "on_demand":
            return "simdjson of this system"  # bench_floor knows which
        found = re.search(r"\d+(\.\d+)+", run_text([self.program(tool), "--version"]) or "")
        return f"{PROGRAM.get(tool, tool)} {found.group() if found else 'of unknown version'}"

    # ---- which settings run a job ----

    def peers(self, job, threads):
        """penstock first; then each tool that can do the job, at its best setting."""
        found = [Penstock(self.programs, job, threads)]
        if job.name == "A":
            found.append(Penstock(self.programs, job, 1))
        for tool in self.there:
            if not self.options.quick or job.name in QUICK.get(tool, []):
                found += getattr(self, "peers_" + tool)(job, threads)
        return found

    def script(self, tool, name, threads, **more):
        env = {"NODE_PATH": os.path.join(npm_folder(self.programs, tool), "node_modules")}
        env.update(more.pop("env", {}))
        return Peer(tool, name, lambda task, source, target: [self.node, os.path.join(SCRIPTS, f"{tool}.js"), task],
                    threads, env=env, **more)

    def peers_duckdb(self, job, threads):
        found = [self.script("duckdb", "DuckDB, in order", threads),
                 self.script("duckdb", "DuckDB, any order", threads, ordered=False, setting="unordered")]
        if job.name == "A" and not self.options.quick:
            found.append(self.script("duckdb", "DuckDB, in order", 1))
        return found

    def peers_clickhouse(self, job, threads):
        found = [self.script("clickhouse", "ClickHouse, any order", threads, ordered=False)]
        if job.name == "A" and not self.options.quick:
            found.append(self.script("clickhouse", "ClickHouse, any order", 1, ordered=False))
        return found

    def peers_polars(self, job, threads):
        if job.output is not None:
            return []  # its CSV can't be compressed
        return [self.script("polars", "Polars", threads, env={"POLARS_MAX_THREADS": str(threads)})]

    def peers_on_demand(self, job, threads):
        if job.name != "A":
            return []  # its fields are those of job A
        program = self.programs.find("bench/bench_on_demand")

        def command(count):
            return lambda task, source, target: [program, *source.sources, target, str(count)]
        return [Peer("on_demand", "C++ with simdjson, hard-coded", command(n), n) for n in (threads, 1)]

    def peers_orjson(self, job, threads):
        if job.members is not None:  # two processes side by side
            return [Peer("orjson", "grep, Python with orjson", lambda task, source, target: [
                os.path.join(SCRIPTS, "grep_orjson.sh"), task, self.python, job.members["id"], *source.sources], 2,
                         setting="orjson")]
        if job.name != "A":
            return []
        return [self.python_peer("orjson", "Python with orjson", self.python)]

    def peers_python(self, job, threads):
        return [self.python_peer("python", "Python with json", sys.executable, "json")] if job.name == "A" else []

    def python_peer(self, tool, name, python, setting="orjson"):
        return Peer(tool, name, lambda task, source, target: [python, os.path.join(SCRIPTS, "python_csv.py"), task], 1,
                    slow=True, setting=setting)

    def peers_jq(self, job, threads):
        return [self.shell_peer("jq", "jq")]

    def peers_miller(self, job, threads):
        return [self.shell_peer("miller", "Miller")]

    def shell_peer(self, tool, name):
        return Peer(tool, name, lambda task, source, target: [os.path.join(SCRIPTS, f"{tool}.sh"), task], 1, slow=True)

    def peers_igzip(self, job, threads):
        return [self.unpacker("igzip", "only unpacking: igzip -dc", job, 2)] if job.packing == "gz" else []

    def peers_zstd(self, job, threads):
        if job.packing != "zst":
            return []
        return [self.unpacker("zstd", "only unpacking: zstd -dc", job, 2 if job.frames > 1 else 1)]

    def unpacker(self, tool, name, job, processes):
        """As many processes side by side over the input: what the machine can do before a record is looked at."""
        def command(task, source, target):
            return ["xargs", "-a", self.list_of(target, source.halves), "-P", str(processes), "-n", "1", tool, "-dc"]
        return Peer(tool, name, command, processes, limit=True)

    def list_of(self, target, files):
        path = target + ".list"
        with open(path, "w", encoding="utf-8") as text:
            text.writelines(f'"{file}"\n' for file in files)
        return path


# What --quick runs: for each job those that were the fastest, and the machine's limits.
QUICK = {"duckdb": ["A", "D", "D16"], "clickhouse": ["C", "E"], "on_demand": ["A"], "orjson": ["B"], "igzip": ["C"],
         "zstd": ["D", "D16"]}


def run_text(command):
    """The output of a command; None when it can't be run or fails."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None
