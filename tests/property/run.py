#!/usr/bin/env python3
"""Property test: random dumps and jobs through penstock and through reference/; every byte and count must agree,
whatever the threads, the shards and the way of reading.

    run.py BINARY PROFILEGEN [--seeds N] [--seconds N] [--start SEED] [--keep FOLDER] [--profile-records N]
           [--only TEXT]

PROFILEGEN is the generator of AEP-like dumps, "-" to go without (said in the summary). Each seed is one dump and one
job, run several times, then once more in another wrapping (packed.py), and in another
container (contained.py); the same seed is always the same case. On a
mismatch the dump is shrunk, the case is kept in a folder of its own under --keep (default: the temporary folder), and
the exit status is 1.
"""
import argparse
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import audience_dumps
import common
import contained
import generate
import packed
import reference

THREADS = [1, 2, 3, 8, 64]
SHARDS = [1, 7, 64, 65, 500, 4096, 1 << 20, None]
SMALL_RECORDS = (100, 300, 500, 1000, 1500, "4KiB", "64KiB")  # source.max_record with which this is enough:
LITTLE_MEMORY = "32MiB"
NAMES = ["a.ndjson", "b.ndjson", "B.ndjson", "a b.ndjson", "\u00e9.ndjson"]
SHRINK_SECONDS = 30
# Of the time given, what a group leaves to those behind it.
LEFT_FOR_OTHERS = {"own": 0.6, "pairs": 0.15, "profilegen": 0}
UTF16 = (b"\xfe\xff", b"\xff\xfe", b"\0")


class Counters:
    def __init__(self):
        self.cases = self.runs = self.packed = self.records = self.delivered = self.skipped = self.failed = 0
        self.dropped = {}
        self.codes = {}
        self.statuses = {}

    def line(self):
        return (f"{self.cases} cases, {self.runs} runs, {self.packed} packed, {self.records} records ({self.delivered} delivered, "
                f"{self.skipped} skipped, {self.failed} failed)")


class Case:
    """A job and its sources: [(name, [line ends included as pieces of bytes])]."""

    def __init__(self, label, spec, sources, arguments):
        self.label = label
        self.spec = spec
        self.sources = sources      # [(name, bytes)]
        self.arguments = arguments  # source arguments in the order given
        self.result = None
        self.wrong = False          # the reference itself does not agree with what is known of the dump


def without_open_questions(spec, lines, counters):
    """The lines on which the contract speaks; the others are counted by their question."""
    converter = reference.Converter(reference.Job(spec))
    kept = []
    for line in lines:
        raw = line.strip(reference.BLANKS)
        if raw:
            try:
                converter.record(raw, len(line))
            except reference.Ambiguous as question:
                counters.dropped[str(question)] = counters.dropped.get(str(question), 0) + 1
                continue
        kept.append(line)
    return kept


def usable(data, first):
    """Not a beginning that the rules of encodings and of format: auto read as something else than NDJSON."""
    start = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    if b"\0" in data[:8] or data.startswith(UTF16):
        return False
    return not first or start.lstrip(reference.BLANKS)[:1] == b"{"


def random_case(seed, counters):
    generator = generate.Generator(seed)
    spec = generator.job()
    lines = generator.lines(generator.r.choice([2, 3, 5, 12, 40, 120]))
    return case_of(f"seed {seed}", spec, lines, generator.r, counters)


JOBS = audience_dumps.Jobs()


def pairs_case(seed, counters):
    """Job number `seed` of those that hold all pairs of options, and a dump that is hard for it."""
    options = JOBS.options(seed)
    generator = audience_dumps.Audience(seed, options)
    lines = generator.lines(generator.r.choice([5, 40, 60, 80]))
    return case_of(f"pairs of options, job {seed}", audience_dumps.job_of(options), lines, generator.r, counters)


def case_of(label, spec, lines, r, counters):
    """The lines on which the contract speaks, in one to three files."""
    lines = without_open_questions(spec, lines, counters)
    if len([line for line in lines if line.strip(reference.BLANKS)]) < 2:
        lines = [b'{"a":1}', b'{"a":2,"b":3}'] + lines
        lines = without_open_questions(spec, lines, counters)
    parts = 1 if r.random() < 0.75 or len(lines) < 4 else r.choice([2, 3])
    names = r.sample(NAMES, parts)
    cuts = [0] + sorted(r.randint(1, len(lines) - 1) for _ in range(parts - 1)) + [len(lines)]
    sources = []
    for number, name in enumerate(sorted(names, key=os.fsencode)):
        data = generate.dump(r, lines[cuts[number]:cuts[number + 1]])
        if not usable(data, True):
            data = b'{"a":1}\n{"a":2,"b":3}\n' + (data[3:] if data.startswith(b"\xef\xbb\xbf") else data)
        sources.append((name, data))
    arguments = [name for name, _ in sources]
    r.shuffle(arguments)
    if r.random() < 0.1:
        arguments.append(arguments[0])
    return Case(label, spec, sources, arguments)


def generated(profilegen, records, seed, folder, flags):
    path = os.path.join(folder, "profilegen.ndjson")
    command = [profilegen, "--rows", str(records), "--seed", str(seed), "--out", path, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)} ended with {done.returncode}: {done.stderr.decode()[:500]}")
    with open(path, "rb") as dump_file:
        return dump_file.read()


def truth_case(seed, profilegen, records, folder, counters):
    """The generator knows which records it broke and how: the reference must say the same, then penstock must."""
    truth_path = os.path.join(folder, "truth")
    data = generated(profilegen, records, seed, folder, ["--nasty", "0.2", "--truth", truth_path])
    case = Case(f"profilegen --nasty 0.2 with its truth, seed {seed}", generate.TRUTH_JOB, [("dump.ndjson", data)],
                ["dump.ndjson"])
    with open(truth_path, encoding="utf-8") as truth_file:
        truth = [json.loads(line) for line in truth_file]
    try:
        result = common.convert(case.spec, case.sources)
    except reference.Ambiguous as question:
        print(f"MISMATCH in {case.label}: the reference has no answer: {question}")
        case.wrong = True
        return case
    want = [(t["line"], t["offset"], t["length"], t["code"]) for t in truth]
    have = [(line["line"], line["offset"], line["length"], line["code"]) for line in result.rejects]
    if want != have:
        kinds_of = {t["line"]: t["kind"] for t in truth}
        different = sorted(set(want) ^ set(have))[:6]
        print(f"MISMATCH in {case.label}: the reference and the generator's truth: "
              f"{[(d, 'truth' if d in want else 'reference', kinds_of.get(d[0])) for d in different]}")
        case.wrong = True
    return case


def profile_case(seed, profilegen, records, folder, counters):
    r = random.Random(seed)
    flags = ["--nasty", r.choice(["0", "0.05", "0.3"]), "--irregular", r.choice(["0", "0.1", "0.4"])]
    data = generated(profilegen, records, seed, folder, flags)
    spec = generate.profile_job(seed)
    lines = without_open_questions(spec, data.split(b"\n"), counters)
    return Case(f"profilegen {' '.join(flags)}, seed {seed}", spec, [("dump.ndjson", b"\n".join(lines))], ["dump.ndjson"])


def write_case(case, folder):
    for name, data in case.sources:
        with open(os.path.join(folder, name), "wb") as source:
            source.write(data)
    common.write_job(case.spec, os.path.join(folder, "job.yaml"))


def flag_sets(r, spec):
    """The plain run, then some of the grid; over many seeds all of it."""
    small = spec.get("source", {}).get("max_record", "16MiB") in SMALL_RECORDS
    sets = [["--threads", "1"]]
    for _ in range(3):
        flags = ["--threads", str(r.choice(THREADS)), "--input-mode", r.choice(common.MODES)]
        shard = r.choice(SHARDS)
        if shard is not None:
            flags += ["--shard-size", str(shard)]
        if r.random() < 0.25:
            flags += ["--walk", "on-demand"]
        if small and flags[1] in ("1", "2", "3") and r.random() < 0.5:
            flags += ["--memory-limit", LITTLE_MEMORY]
        sets.append(flags)
    return sets


def check(binary, case, folder, flags):
    """(problems, outcome) of one run."""
    outcome = common.run(binary, folder, "job.yaml", case.arguments, flags)
    problems = common.compare(case.result, outcome, not common.stops_early(case.spec, case.result))
    return problems, outcome


def kinds(problems):
    """What problems are about, without the numbers: a smaller case must keep the first of them."""
    found = []
    for problem in problems:
        code = re.search("code: expected '([a-z_0-9]*)', got '([a-z_0-9]*)'", problem)
        field = re.match("rejects: line [0-9]+ [^:]*: ([a-z]+): ", problem)
        if code:
            found.append(("code", code[1], code[2]))
        elif field:
            found.append(("rejects", field[1]))
        else:
            found.append((problem.split(":")[0], problem.split(":")[1].split()[0] if problem[:6] == "report" else ""))
    return found


class Shrinker:
    """Makes a case smaller as long as it still shows a problem of the same kind and ends with the same status:
    fewer lines, fewer columns, a plainer job, then fewer bytes."""

    def __init__(self, binary, case, folder, flags, problems, status):
        self.binary, self.folder, self.flags, self.status = binary, folder, flags, status
        self.best = case
        self.wanted = kinds(problems)[0]
        self.deadline = time.monotonic() + SHRINK_SECONDS

    def shows(self, spec, sources):
        if time.monotonic() > self.deadline:
            return False
        if not all(usable(data, True) for _, data in sources):
            return False
        candidate = Case(self.best.label, spec, sources, self.best.arguments)
        try:
            candidate.result = common.convert(spec, sources)
        except (reference.Ambiguous, reference.BadPath):
            return False
        write_case(candidate, self.folder)
        found, outcome = check(self.binary, candidate, self.folder, self.flags)
        if outcome.status != self.status or self.wanted not in kinds(found):
            return False
        self.best = candidate
        return True

    def fewer(self, number, pieces, first):
        """Leaves out pieces of source `number`, ever smaller groups of them; the pieces before `first` stay."""
        name = self.best.sources[number][0]
        size = max(1, (len(pieces) - first) // 2)
        while True:
            at = first
            while at < len(pieces):
                rest = pieces[:at] + pieces[at + size:]
                sources = list(self.best.sources)
                sources[number] = (name, b"".join(rest))
                if self.shows(self.best.spec, sources):
                    pieces = rest
                else:
                    at += size
            if size == 1:
                return
            size //= 2

    def plainer_specs(self):
        spec = self.best.spec
        for key in ("segments", "consent", "pega"):
            if key in spec and not spec.get("segments", {}).get("split"):
                yield {k: v for k, v in spec.items() if k != key}
        for key in ("csv", "files", "source", "identity", "segments", "pega"):
            if key in spec:
                if key not in ("identity", "segments"):
                    yield {k: v for k, v in spec.items() if k != key}
                for option in set(spec[key]) - {"column", "paths", "ids", "split", "name"}:
                    yield dict(spec, **{key: {k: v for k, v in spec[key].items() if k != option}})
        for at in range(len(spec["columns"])):
            if len(spec["columns"]) > 1:
                yield dict(spec, columns=spec["columns"][:at] + spec["columns"][at + 1:])
            for option in ("fallback", "default", "required", "type", "transform"):
                if option in spec["columns"][at]:
                    column = {k: v for k, v in spec["columns"][at].items() if k != option}
                    yield dict(spec, columns=spec["columns"][:at] + [column] + spec["columns"][at + 1:])
        paths = spec["identity"]["paths"]
        for at in range(len(paths)):
            if len(paths) > 1:
                yield dict(spec, identity=dict(spec["identity"], paths=paths[:at] + paths[at + 1:]))

    def run(self):
        for number in range(len(self.best.sources)):
            self.fewer(number, split_lf(self.best.sources[number][1]), 1)  # the first line tells the format
        while any(self.shows(spec, self.best.sources) for spec in list(self.plainer_specs())):
            pass
        for number, (_, data) in enumerate(self.best.sources):
            if len(data) < 20000:
                self.fewer(number, [bytes([b]) for b in data], 0)
        self.best.result = common.convert(self.best.spec, self.best.sources)
        write_case(self.best, self.folder)
        return self.best


def split_lf(data):
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return [line for line in lines if line]


def report_mismatch(binary, case, folder, flags, problems, outcome, keep):
    print(f"MISMATCH in {case.label} with {' '.join(flags)}:")
    for problem in problems[:6]:
        print(f"  {problem}")
    small = Shrinker(binary, case, folder, flags, problems, outcome.status).run()
    problems, outcome = check(binary, small, folder, flags)
    kept = tempfile.mkdtemp(prefix="penstock-property-", dir=keep)
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    expected = os.path.join(kept, "expected")
    os.makedirs(expected)
    for name, content in small.result.files.items():
        with open(os.path.join(expected, name), "wb") as data_file:
            data_file.write(content)
    with open(os.path.join(expected, "counts.json"), "w", encoding="utf-8") as counts:
        json.dump(reference.report_of(small.result, small.spec)["metrics"], counts, indent=1)
    with open(os.path.join(kept, "command"), "w", encoding="utf-8") as command:
        command.write(f"cd {shlex.quote(kept)} && {shlex.join(outcome.command)}\n")
    size = sum(len(data) for _, data in small.sources)
    print(f"  shrunk to {size} bytes, {len(small.spec['columns'])} columns:")
    for problem in problems[:6]:
        print(f"    {problem}")
    if size < 2000:
        for name, data in small.sources:
            print(f"    {name}: {data!r}")
    print(f"    job: {json.dumps(small.spec, ensure_ascii=False)[:2000]}")
    print(f"  again: sh {os.path.join(kept, 'command')}")
    sys.stdout.flush()


def run_case(binary, case, folder, flags_sets, counters, keep):
    """True when all runs agree with the reference, and among themselves."""
    try:
        case.result = common.convert(case.spec, case.sources)
    except reference.Ambiguous as question:
        # A cut or a line end changed a record; the lines alone were fine.
        counters.dropped[f"whole case: {question}"] = counters.dropped.get(f"whole case: {question}", 0) + 1
        return True
    write_case(case, folder)
    counters.cases += 1
    counters.records += case.result.input
    counters.delivered += case.result.delivered
    counters.skipped += sum(case.result.skipped.values())
    counters.failed += case.result.failed
    counters.statuses[case.result.status] = counters.statuses.get(case.result.status, 0) + 1
    for code, count in case.result.failed_by.items():
        counters.codes[code] = counters.codes.get(code, 0) + count
    first = None
    for flags in flags_sets:
        counters.runs += 1
        problems, outcome = check(binary, case, folder, flags)
        if not problems:
            seen = (outcome.files, outcome.rejects, (outcome.report or {}).get("metrics", {}).get("recordSummary"))
            if first is None:
                first = seen
            elif seen != first:
                problems = ["threads: files, rejects or record counts differ from those of the first run"]
        if problems:
            report_mismatch(binary, case, folder, flags, problems, outcome, keep)
            return False
    return (run_packed(binary, case, folder, counters, keep) and
            run_contained(binary, case, folder, counters, keep))


def run_packed(binary, case, folder, counters, keep):
    """True when the case gives the same in another wrapping."""
    wrapping = packed.Packed(case, case.label)
    counters.runs += 2
    counters.packed += 1
    problems, flags = wrapping.run(binary, folder, case.spec)
    if not problems:
        return True
    kept = tempfile.mkdtemp(prefix="penstock-property-", dir=keep)
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    print(f"MISMATCH in {case.label}, packed ({wrapping.place}: {', '.join(wrapping.names)}), with {' '.join(flags)}:")
    for problem in problems[:6]:
        print(f"  {problem}")
    print(f"  kept in {kept}: penstock export -j job.yaml {' '.join(wrapping.arguments)}")
    return False


def run_contained(binary, case, folder, counters, keep):
    """True when its well-formed records give the same in another container."""
    container = contained.Contained(case, case.label)
    counters.runs += 3
    problems, flags = container.run(binary, folder)
    if not problems:
        return True
    kept = tempfile.mkdtemp(prefix="penstock-property-", dir=keep)
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    print(f"MISMATCH in {case.label}, contained ({container.form}), with {' '.join(flags)}:")
    for problem in problems[:6]:
        print(f"  {problem}")
    print(f"  kept in {kept}: penstock export -j contained.yaml contained")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("profilegen")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0, help="stop after this time; 0: when all seeds are done")
    parser.add_argument("--start", type=int, default=1, help="first seed")
    parser.add_argument("--keep", default=None, help="folder for cases that failed")
    parser.add_argument("--profile-records", type=int, default=300)
    parser.add_argument("--only", default="", help="groups whose titles hold this text")
    parser.add_argument("--mismatches", type=int, default=5, help="stop after so many")
    options = parser.parse_args()
    binary = common.program(options.binary)
    end = time.monotonic() + options.seconds if options.seconds else None
    mismatches = 0
    length = audience_dumps.table_length()
    groups = [("own dumps", lambda seed, folder, counters: random_case(seed, counters), options.seeds),
              (f"pairs of options (all of them in {length} jobs)", lambda seed, folder, counters:
               pairs_case(seed, counters), max(length, options.seeds))]
    if options.profilegen != "-":
        profilegen = common.program(options.profilegen)
        groups.append(("profilegen dumps", lambda seed, folder, counters:
                       profile_case(seed, profilegen, options.profile_records, folder, counters),
                       max(1, options.seeds // 20)))
        groups.append(("profilegen dumps with their truth", lambda seed, folder, counters:
                       truth_case(seed, profilegen, options.profile_records, folder, counters),
                       max(1, options.seeds // 40)))
    all_runs = 0
    for title, make, seeds in [group for group in groups if options.only in group[0]]:
        counters = Counters()
        group_end = None if end is None else end - options.seconds * LEFT_FOR_OTHERS[title.split()[0]]
        done = 0
        for seed in range(options.start, options.start + seeds):
            if group_end is not None and time.monotonic() > group_end and done > 0:
                break
            with tempfile.TemporaryDirectory(prefix="penstock-property-") as folder:
                case = make(seed, folder, counters)
                done += 1
                agrees = run_case(binary, case, folder, flag_sets(random.Random(seed), case.spec), counters, options.keep)
                mismatches += not agrees or case.wrong
            if mismatches >= options.mismatches:
                break
        all_runs += counters.runs
        print(f"{title}: {done} of {seeds} seeds from {options.start}: {counters.line()}")
        print(f"  failed by code: {dict(sorted(counters.codes.items()))}; exit statuses: {counters.statuses}")
        left_out = sum(counters.dropped.values())
        print(f"  left out as open questions: {left_out} records")
        for question, count in sorted(counters.dropped.items(), key=lambda item: -item[1]):
            print(f"    {count:6d}  {question}")
        if mismatches >= options.mismatches:
            break
    if options.profilegen == "-":
        print("profilegen dumps: NOT RUN, no generator was given")
    if all_runs == 0:
        print("property: NOTHING WAS RUN")
        return 1
    print(f"property: {'FAILED' if mismatches else 'passed'}: {all_runs} runs, {mismatches} mismatches")
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
