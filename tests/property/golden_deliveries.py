#!/usr/bin/env python3
"""Golden deliveries: each job of tests/golden/NAME/job.json gives the files of tests/golden/NAME/delivery/, byte for
byte, and the counts of counts.json, with several thread counts, shard sizes and ways of reading.

    golden_deliveries.py BINARY
    golden_deliveries.py --write      writes delivery/ and counts.json anew, from the reference alone: read what changed

Sources are named from the repository's root, in JSON, so that the reference reads the jobs too. Data files stand there
without their compression (x.csv for x.csv.gz), and a manifest has {x.csv.gz} where that file's size belongs.
"""
import json
import os
import sys
import tempfile

import common
import reference
from golden import VARIANTS, root

COUNTS = ["inputRecordCount", "deliveredRecordCount", "outputRowCount", "skippedRecordCount", "skippedByReason",
          "failedRecordCount", "changedByReason"]


class Sizes(dict):
    """Of compressed files, which the reference can't know: their places in a manifest."""

    def __missing__(self, name):
        return "{" + name + "}"


def folder_of(name):
    return os.path.join(root(), "tests", "golden", name)


def read_job(name):
    with open(os.path.join(folder_of(name), "job.json"), encoding="utf-8") as job_file:
        return json.load(job_file)


def plain_name(name):
    return name.removesuffix(".gz").removesuffix(".zst")


def expected_by_reference(name):
    """({name in delivery/: bytes}, counts)"""
    spec = read_job(name)
    sources = []
    for path in spec["source"]["paths"]:
        with open(os.path.join(root(), path), "rb") as source:
            sources.append((path, source.read()))
    result = common.convert(dict(spec, source={}), sources)
    if result.status != 0:
        raise SystemExit(f"{name}: the reference ends with {result.status}")
    files = {plain_name(stored): content for stored, content in result.files.items()}
    sizes = Sizes((stored, len(content)) for stored, content in result.files.items() if plain_name(stored) == stored)
    files.update({other: content for other, (_, content) in result.others(sizes).items()})
    counts = reference.report_of(result, spec)["metrics"]["recordSummary"]
    return files, {key: counts[key] for key in COUNTS}


def write(names):
    for name in names:
        files, counts = expected_by_reference(name)
        common.remove(os.path.join(folder_of(name), "delivery"))
        for file_name, content in files.items():
            path = os.path.join(folder_of(name), "delivery", file_name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as golden:
                golden.write(content)
        with open(os.path.join(folder_of(name), "counts.json"), "w", encoding="utf-8") as golden:
            json.dump(counts, golden, indent=1)
            golden.write("\n")


def check(binary, name, flags, folder):
    golden = common.read_folder(os.path.join(folder_of(name), "delivery"))
    sources = [os.path.join(root(), path) for path in read_job(name)["source"]["paths"]]
    outcome = common.run(binary, folder, os.path.join(folder_of(name), "job.json"), sources, flags)
    if outcome.status != 0:
        return [f"status {outcome.status}: {outcome.stderr.strip()[-600:]}"]
    problems = []
    by_plain = {plain_name(stored): stored for stored in outcome.files}
    if sorted(by_plain) != sorted(golden):
        problems.append(f"expected {sorted(golden)}, got {sorted(outcome.files)}")
    for file_name, want in golden.items():
        if file_name not in by_plain:
            continue
        for stored, content in outcome.files.items():
            want = want.replace(b"{" + stored.encode() + b"}", str(len(content)).encode())
        have = common.unpacked(by_plain[file_name], outcome.files[by_plain[file_name]])
        if have != want:
            problems.append(f"{file_name}: {have if isinstance(have, str) else common.first_difference(want, have)}")
    return problems + check_counts(name, outcome.report)


def check_counts(name, report):
    with open(os.path.join(folder_of(name), "counts.json"), encoding="utf-8") as golden:
        want = json.load(golden)
    have = {key: ((report or {}).get("metrics", {}).get("recordSummary", {})).get(key) for key in want}
    have["skippedByReason"] = {k: v for k, v in (have["skippedByReason"] or {}).items() if v}
    return [f"report: {key}: expected {want[key]}, got {have[key]}" for key in want if have[key] != want[key]]


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    names = sorted(name for name in os.listdir(os.path.join(root(), "tests", "golden")) if
                   os.path.exists(os.path.join(folder_of(name), "job.json")))
    if sys.argv[1] == "--write":
        write(names)
        return 0
    binary = common.program(sys.argv[1])
    failed = 0
    for name in names:
        problems = []
        for flags in VARIANTS:
            with tempfile.TemporaryDirectory(prefix="penstock-golden-") as folder:
                problems += [f"{' '.join(flags)}: {problem}" for problem in check(binary, name, flags, folder)]
        failed += bool(problems)
        print(f"{name}: {'FAILED' if problems else 'ok'} ({len(VARIANTS)} runs)")
        for problem in problems[:6]:
            print(f"  {problem}")
    if not names:
        print("golden deliveries: NOTHING WAS RUN")
        return 1
    print(f"golden deliveries: {'FAILED' if failed else 'passed'}: {len(names)} deliveries, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
