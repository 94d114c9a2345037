"""What the property drivers share: running penstock in a folder of its own, and comparing what it left with what
the reference says. Standard library only."""
import ctypes
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import reference  # noqa: E402  (its folder is only known now)

RUN_TIME = "2026-11-22T03:00:00Z"
RUN_ID = "0123456789abcdef"
REJECT_KEYS = ["source", "offset", "length", "line", "code", "path", "raw"]
TIMEOUT = 300  # seconds: a run takes milliseconds; whatever takes this long hangs, also on a busy machine


def refusal_of_direct():
    """Why --input-mode direct can't be had for files in the temporary folder; None: it can."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    ring = libc.syscall(ctypes.c_long(425), ctypes.c_long(1), ctypes.create_string_buffer(120))  # io_uring_setup(2)
    if ring < 0:
        return f"io_uring: {os.strerror(ctypes.get_errno())}"
    os.close(ring)
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.close(os.open(file.name, os.O_RDONLY | os.O_DIRECT))
        except OSError as error:
            return f"O_DIRECT: {error.strerror}"
    return None


LEFT_OUT = refusal_of_direct()
MODES = ("mmap", "read") if LEFT_OUT else ("mmap", "read", "direct")
if LEFT_OUT:
    print(f"left out: --input-mode direct, which this system refuses: {LEFT_OUT}", file=sys.stderr)


def kernels():
    """simdjson's kernels that this CPU has, best first: the names by which SIMDJSON_FORCE_IMPLEMENTATION chooses one. Not
    its "fallback" for CPUs without SSE4.2, which finds other defects and which penstock refuses (record_walk.h)."""
    wants = {"icelake": "avx2 bmi1 bmi2 pclmulqdq avx512f avx512dq avx512cd avx512bw avx512vl avx512_vbmi2",
             "haswell": "avx2 bmi1 bmi2 pclmulqdq", "westmere": "sse4_2 pclmulqdq"}
    with open("/proc/cpuinfo", encoding="utf-8") as cpus:
        here = next((set(line.split()) for line in cpus if line.startswith("flags")), set())
    return [name for name, flags in wants.items() if here.issuperset(flags.split())]


KERNELS = kernels()


class Outcome:
    """What one run left behind."""

    def __init__(self, status, stderr, files, rejects, report, command):
        self.status = status
        self.stderr = stderr
        self.files = files      # {name: bytes}
        self.rejects = rejects  # bytes, None: no reject file
        self.report = report    # parsed, None: none
        self.command = command


def clean_environment():
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PENSTOCK_", "AWS_"))}
    keep["LC_ALL"] = "C.UTF-8"
    return keep


def program(path):
    """The absolute path of a program that runs, or the end of the driver with a plain sentence."""
    path = os.path.abspath(path)
    try:
        helped = subprocess.run([path, "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
    except OSError as error:
        raise SystemExit(f"{path}: can't be run ({error.strerror}): not built yet, or just being linked?") from error
    if helped.returncode != 0 or not helped.stdout:
        raise SystemExit(f"{path} --help ended with {helped.returncode} and {len(helped.stdout)} bytes of help")
    return path


def read_folder(folder):
    """{path below the folder: bytes}"""
    files = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as data_file:
                files[os.path.relpath(path, folder)] = data_file.read()
    return dict(sorted(files.items()))


def unpacked(name, stored):
    """The bytes of a data file without its compression; a sentence (str) when it can't be read."""
    try:
        if name.endswith(".gz"):
            return gzip.decompress(stored)
        if name.endswith(".zst"):
            return subprocess.run(["zstd", "-dcq"], input=stored, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=TIMEOUT, check=True).stdout
    except (OSError, EOFError, zlib.error, subprocess.SubprocessError) as error:
        return f"can't be unpacked: {error!r}"
    return stored


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)


def run(binary, folder, job, sources, flags=(), stdin=None, kernel=None):
    """Runs an export inside `folder`; leaves out/, rejects.jsonl and report.json there until the next run. `stdin`: a
    file that goes through a pipe into its standard input. `kernel`: one of KERNELS; else the flags choose it, so that
    all of them meet all kinds of runs and a run can be repeated."""
    kernel = kernel or (KERNELS and KERNELS[zlib.crc32(" ".join(flags).encode()) % len(KERNELS)])
    chosen = {"SIMDJSON_FORCE_IMPLEMENTATION": kernel} if kernel else {}
    for name in ("out", "rejects.jsonl", "report.json"):
        remove(os.path.join(folder, name))
    command = [binary, "export", "-j", job, *sources, "--to", "out", "--rejects", "rejects.jsonl",
               "--report", "report.json", "--run-time", RUN_TIME, "--run-id", RUN_ID, "--progress", "none", *flags]
    try:
        done = subprocess.run(command, cwd=folder, env={**clean_environment(), **chosen}, input=contents(stdin),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        status, stderr = done.returncode, done.stderr.decode("utf-8", "replace")
        if done.stdout:
            stderr += f"\n(unexpected standard output: {done.stdout[:200]!r})"
            status = f"{status} with standard output"
    except subprocess.TimeoutExpired:
        status, stderr = f"no end after {TIMEOUT} s", ""
    rejects = report = None
    if os.path.exists(os.path.join(folder, "rejects.jsonl")):
        with open(os.path.join(folder, "rejects.jsonl"), "rb") as reject_file:
            rejects = reject_file.read()
    if os.path.exists(os.path.join(folder, "report.json")):
        with open(os.path.join(folder, "report.json"), "rb") as report_file:
            text = report_file.read()
        try:
            report = json.loads(text)
        except ValueError as error:
            report = {"not JSON": str(error)}
    return Outcome(status, stderr, read_folder(os.path.join(folder, "out")), rejects, report,
                   ["env", *(f"{name}={value}" for name, value in chosen.items()), *command])


def contents(path):
    if path is None:
        return b""
    with open(path, "rb") as data_file:
        return data_file.read()


def first_difference(expected, got):
    for at, (a, b) in enumerate(zip(expected, got)):
        if a != b:
            break
    else:
        at = min(len(expected), len(got))
    low = max(0, at - 30)
    line = expected[:at].count(b"\n") + 1
    return (f"first difference at byte {at} (line {line}): expected …{expected[low:at + 60]!r}, "
            f"got …{got[low:at + 60]!r}; {len(expected)} and {len(got)} bytes")


def compare_rejects(expected, raw):
    if not expected:
        return [] if raw in (None, b"") else [f"rejects: none expected, got {raw[:300]!r}"]
    if raw is None:
        return [f"rejects: {len(expected)} lines expected, no reject file"]
    lines = raw.decode("utf-8", "replace").split("\n")
    if lines[-1] != "":
        return ["rejects: the last line has no line end"]
    lines.pop()
    problems = []
    if len(lines) != len(expected):
        problems.append(f"rejects: {len(expected)} lines expected, got {len(lines)}")
    for number, (want, line) in enumerate(zip(expected, lines), 1):
        try:
            have = json.loads(line)
        except ValueError as error:
            return problems + [f"rejects: line {number} is no JSON: {error}: {line[:200]}"]
        if list(have) != REJECT_KEYS:
            return problems + [f"rejects: line {number} has the keys {list(have)}"]
        for key in REJECT_KEYS:
            right = have[key] in want["paths"] if key == "path" else have[key] == want[key]
            if key == "source":
                right = os.path.normpath(have[key]) == os.path.normpath(want[key])
            if not right:
                wish = sorted(want["paths"]) if key == "path" else want[key]
                problems.append(f"rejects: line {number} (record of line {want['line']}): {key}: "
                                f"expected {str(wish)[:200]!r}, got {str(have[key])[:200]!r}")
    return problems


def compare_report(result, report, complete, stored):
    """`complete`: the whole input was judged, so all counts are known. `stored`: {name: bytes} of what was left."""
    if report is None:
        return ["report: missing"]
    try:
        metrics = report["metrics"]
        records = metrics["recordSummary"]
        have = {
            "inputRecordCount": records["inputRecordCount"], "deliveredRecordCount": records["deliveredRecordCount"],
            "outputRowCount": records["outputRowCount"], "skippedRecordCount": records["skippedRecordCount"],
            "failedRecordCount": records["failedRecordCount"],
            "skippedByReason": {k: v for k, v in records["skippedByReason"].items() if v},
            "failedByReason": {k: v for k, v in records["failedByReason"].items() if v},
            "changedByReason": records["changedByReason"],
            "status": metrics["statusSummary"]["status"],
            "outputFileCount": metrics["fileSummary"]["outputFileCount"],
            "inputBytes": metrics["sizeSummary"]["inputBytes"],
            "outputBytes": metrics["sizeSummary"]["outputBytes"],
        }
        duplicates = records["duplicateKeyRecordCount"]
    except (KeyError, TypeError, AttributeError) as error:
        return [f"report: not as in the contract: {error!r}: {str(report)[:200]}"]
    problems = []
    total = have["deliveredRecordCount"] + have["skippedRecordCount"] + have["failedRecordCount"]
    if have["inputRecordCount"] != total:
        problems.append(f"report: inputRecordCount {have['inputRecordCount']} is not the sum {total}")
    want = {"failedRecordCount": result.failed, "status": "failed" if result.status else "success"}
    if complete:
        want.update({
            "inputRecordCount": result.input, "skippedRecordCount": sum(result.skipped.values()),
            "skippedByReason": result.skipped, "failedByReason": result.failed_by})
    if complete and result.status == 0:
        want.update({
            "deliveredRecordCount": result.delivered, "outputRowCount": result.rows,
            "changedByReason": result.changed, "outputFileCount": len(result.files),
            "inputBytes": result.input_bytes,
            "outputBytes": sum(len(stored.get(name, b"")) for name in result.files)})
        if not result.duplicates_low <= duplicates <= result.duplicates_high:
            problems.append(f"report: duplicateKeyRecordCount {duplicates}, expected {result.duplicates_low} to "
                            f"{result.duplicates_high}")
        problems += compare_listed(result, report, stored)
    for key, value in want.items():
        if have[key] != value:
            problems.append(f"report: {key}: expected {value}, got {have[key]}")
    return problems


def compare_listed(result, report, stored):
    """The report's list of files against those that were left."""
    kinds = {name: "data" for name in result.files}
    kinds.update({name: kind for name, (kind, _) in result.others(sizes_of(result, stored)).items()})
    listed = {}
    for entry in report.get("files", []):
        name = next((name for name in kinds if entry["url"].endswith("/" + name)), entry["url"])
        listed[name] = (entry["kind"], entry["bytes"], entry["rows"] if entry["kind"] == "data" else None)
    wish = {name: (kind, len(stored.get(name, b"")), result.file_rows.get(name)) for name, kind in kinds.items()}
    return [] if listed == wish else [f"report: files: expected {wish}, got {listed}"]


def sizes_of(result, stored):
    return {name: len(stored.get(name, b"")) for name in result.files}


def compare(result, outcome, complete=True):
    """Sentences on what differs; empty: nothing. Each begins with its kind and a colon."""
    problems = []
    if outcome.status != result.status:
        problems.append(f"status: expected {result.status}, got {outcome.status}: {outcome.stderr.strip()[-600:]}")
        return problems
    others = result.others(sizes_of(result, outcome.files)) if result.status == 0 else {}
    wanted = sorted([*result.files, *others])
    if list(outcome.files) != wanted:
        problems.append(f"files: expected {wanted}, got {list(outcome.files)}")
    for name in result.files:
        have = unpacked(name, outcome.files[name]) if name in outcome.files else result.files[name]
        if have != result.files[name]:
            problems.append(f"bytes: {name}: {have if isinstance(have, str) else first_difference(result.files[name], have)}")
    for name, (kind, content) in others.items():
        if outcome.files.get(name, content) != content:
            problems.append(f"{kind}: {name}: {first_difference(content, outcome.files[name])}")
    problems += compare_rejects(result.rejects, outcome.rejects)
    problems += compare_report(result, outcome.report, complete, outcome.files)
    return problems


def stops_early(job_spec, result):
    """True when the run ends at a record in the middle: the counts beyond it are not determined."""
    budget = str(job_spec.get("rejects", {}).get("max", 0))
    return result.status == 65 and not budget.endswith("%") and result.failed > int(budget)


def write_job(spec, path):
    """JSON is YAML here: no surrogate escapes, which YAML does not pair."""
    with open(path, "w", encoding="utf-8") as job_file:
        json.dump(spec, job_file, ensure_ascii=False, indent=1)
        job_file.write("\n")


def convert(spec, sources, shard_bytes=reference.SHARD):
    return reference.convert(spec, sources, "20261122T030000Z", RUN_ID, shard_bytes)
