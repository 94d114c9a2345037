#!/usr/bin/env python3
"""Golden test: the sample jobs of datasets/ give the CSV files of tests/golden/, byte for byte.

    golden.py BINARY

For each datasets/X.job.yaml: `penstock export -j X.job.yaml X.ndjson` must give tests/golden/X.csv; a job that cuts
its output into several files has X.1.csv, X.2.csv, ... instead, in the order of the names. Where there is
tests/golden/X.rejects.jsonl, it holds the reject lines ("source" left out of the comparison), else there are none.
Run with several thread counts, shard sizes and ways of reading, by each of simdjson's kernels.
"""
import itertools
import json
import os
import sys
import tempfile

import common

VARIANTS = [["--threads", "1"], ["--threads", "2"], ["--threads", "3", "--shard-size", "1"],
            ["--threads", "8", "--shard-size", "700", "--input-mode", "read"],
            ["--threads", "64", "--shard-size", "4096", "--input-mode", "mmap"],
            ["--threads", "3", "--shard-size", "300", "--input-mode", common.MODES[-1]]]


def root():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def golden_files(name):
    folder = os.path.join(root(), "tests", "golden")
    single = os.path.join(folder, name + ".csv")
    paths = [single]
    if not os.path.exists(single):
        paths = []
        while os.path.exists(os.path.join(folder, f"{name}.{len(paths) + 1}.csv")):
            paths.append(os.path.join(folder, f"{name}.{len(paths) + 1}.csv"))
    files = []
    for path in paths:
        with open(path, "rb") as golden:
            files.append(golden.read())
    return files


def golden_rejects(name):
    path = os.path.join(root(), "tests", "golden", name + ".rejects.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as golden:
        return [json.loads(line) for line in golden]


def stray_goldens(names):
    """Golden files that no sample belongs to: a sample that was renamed, or lost."""
    files = os.listdir(os.path.join(root(), "tests", "golden"))
    return sorted(f for f in files if f.endswith((".csv", ".rejects.jsonl")) and f.split(".")[0] not in names)


def rejects_of(outcome):
    return [json.loads(line) for line in (outcome.rejects or b"").decode().splitlines()]


def check(binary, name, flags, kernel, folder):
    datasets = os.path.join(root(), "datasets")
    source = os.path.join(datasets, name + ".ndjson")
    outcome = common.run(binary, folder, os.path.join(datasets, name + ".job.yaml"), [source], flags, kernel=kernel)
    if outcome.status != 0:
        return [f"status {outcome.status}: {outcome.stderr.strip()[-600:]}"]
    problems = []
    expected = golden_files(name)
    got = list(outcome.files.items())
    if not expected:
        return [f"tests/golden/{name}.csv is missing"]
    if len(got) != len(expected):
        problems.append(f"{len(expected)} files expected, got {[n for n, _ in got]}")
    for number, (want, (file_name, have)) in enumerate(zip(expected, got), 1):
        if want != have:
            problems.append(f"file {number} ({file_name}): {common.first_difference(want, have)}")
    want = [dict(line, source=None) for line in golden_rejects(name)]
    have = [dict(line, source=None) for line in rejects_of(outcome)]
    if want != have:
        problems.append(f"rejects: expected {str(want)[:400]}, got {str(have)[:400]}")
    return problems


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    binary = common.program(sys.argv[1])
    names = sorted(f[:-len(".job.yaml")] for f in os.listdir(os.path.join(root(), "datasets"))
                   if f.endswith(".job.yaml"))
    failures = runs = 0
    for name in [n for n in names if not os.path.exists(os.path.join(root(), "datasets", n + ".ndjson"))]:
        print(f"{name}: not a sample: there is no datasets/{name}.ndjson (its dump is generated)")
        names.remove(name)
    for name in names:
        problems = []
        for flags, kernel in itertools.product(VARIANTS, common.KERNELS or [None]):
            runs += 1
            with tempfile.TemporaryDirectory(prefix="penstock-golden-") as folder:
                problems += [f"{kernel}, {' '.join(flags)}: {problem}"
                             for problem in check(binary, name, flags, kernel, folder)]
        failures += bool(problems)
        print(f"{name}: {'FAILED' if problems else 'ok'} ({len(VARIANTS) * max(len(common.KERNELS), 1)} runs)")
        for problem in problems[:8]:
            print(f"  {problem}")
    strays = stray_goldens(names)
    if strays:
        failures += 1
        print(f"tests/golden: FAILED: no sample for {strays}")
    if not names:
        print("golden: NOTHING WAS RUN: no datasets/*.job.yaml with its .ndjson")
        return 1
    print(f"golden: {'FAILED' if failures else 'passed'}: {len(names)} samples, {runs} runs, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
