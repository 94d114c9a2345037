#!/usr/bin/env python3
"""Property test of `penstock inspect`: dumps of all kinds against inspect_model.py, and its jobs against `check` and
`export`.

    inspect_run.py BINARY PROFILEGEN [--seconds N] [--start SEED] [--seed N]

Every dump is inspected with several numbers of threads and sizes of shards: all must print the same. The job that
--job prints is accepted by check and delivers as many records as there are good ones with an identity.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import common
import generate
import inspect_model

SAMPLES = ["crm", "profiles", "audience", "pega_page"]
DATASETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "datasets")


def run(command, folder):
    done = subprocess.run(command, cwd=folder, env=common.clean_environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=common.TIMEOUT, check=False)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def value(r, level):
    pick = r.random()
    if level < 3 and pick < 0.2:
        return {f"k{r.randrange(5)}": value(r, level + 1) for _ in range(r.randrange(4))}
    if level < 3 and pick < 0.35:
        return [value(r, level + 1) for _ in range(r.randrange(4))]
    return r.choice([None, True, False, r.randrange(100), r.random(), "", "text", f"id-{r.randrange(1000)}",
                     "2024-02-29", "2024-02-29T10:00:00Z", "say \"hi\"\n", "\u00e9" * r.randrange(70)])


def deep(levels):
    return json.dumps({"a": 1}) if levels == 0 else '{"deep":' + deep(levels - 1) + "}"


def maps(r):
    """Objects whose keys are data, known and unknown, wide and sparse, and what stands at the bounds."""
    lines = []
    wide, sparse = r.choice([511, 512, 513, 900]), r.choice([90, 101, 300])
    for number in range(r.choice([300, 1000])):
        record = {"_id": str(number), "flat": value(r, 0)}
        for _ in range(4):
            record.setdefault("wide", {})[f"w{r.randrange(wide)}"] = value(r, 1)
        if r.random() < 0.5:
            record["sparse"] = {f"s{r.randrange(sparse)}": {"x": value(r, 2)}}
        record["lists"] = [{f"l{r.randrange(700)}": value(r, 2)} for _ in range(r.randrange(3))]
        if r.random() < 0.01:
            record["long"] = {"x" * r.choice([255, 256, 257]): 1, "short": 2}
        record["segmentMembership"] = {r.choice(["ups", "UPS", "AAM"]): {
            f"seg-{r.randrange(20)}": r.choice([{"status": "realized"}, {"status": "exited"}, {}, None, 1,
                                                {"status": "odd"}, {"xdm:status": "existing"}])}}
        record["identityMap"] = r.choice([None, {}, 5, {"CustomerID": [{"id": f"C{number}", "primary": True}]},
                                          {"customerID": [{"id": number}, {"id": ""}, {"id": None}, 7]},
                                          {"Email": {"id": "x"}, "ECID": [{"xdm:id": "e\\u00e9"}]}])
        if r.random() < 0.3:
            record["identities"] = [{"id": "i1", "namespace": {"code": "crm"}}, {"id": "i2"}]
        record["consents"] = {"idSpecific": {"Email": {f"{r.randrange(9)}@x": {"val": "y"}}}}
        lines.append(json.dumps(record, ensure_ascii=r.random() < 0.5).encode())
    lines += [deep(levels).encode() for levels in (30, 31, 32, 33, 40, 1022, 1023, 1024)]
    r.shuffle(lines)
    lines.insert(0, b"{}")  # by the first one it is ndjson
    return generate.dump(r, lines)


def generated(seed):
    generator = generate.Generator(seed)
    lines = [b"{}"] + [generator.record() for _ in range(generator.r.randint(1, 60))]  # by the first one it is ndjson
    return generate.dump(generator.r, lines)


def profiles(r, profilegen, folder):
    out = os.path.join(folder, "profiles")
    subprocess.run([profilegen, "--rows", str(r.choice([10, 300, 2000])), "--seed", str(r.randrange(1 << 30)),
                    "--nasty", r.choice(["0", "0.2"]), "--irregular", r.choice(["0", "0.2"]), "--out", out],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(out, "rb") as dump:
        return dump.read()


def check_catalogue(binary, folder, r, dumps):
    names = []
    for number, data in enumerate(dumps):
        names.append(f"dump{number}.ndjson")
        with open(os.path.join(folder, names[-1]), "wb") as dump:
            dump.write(data)
    model = inspect_model.Model(dumps)
    status, first, stderr = run([binary, "inspect", "--json", *names], folder)
    if not model.records and not model.failed:
        return names, [] if status == 65 else [f"status {status} without a record: {stderr}"]
    if status != 0:
        return names, [f"status {status}: {stderr}"]
    problems = inspect_model.differences(model, json.loads(first))
    least = 1 + sum(map(len, dumps)) // 1000  # a thousand shards are enough
    for _ in range(3):
        flags = ["--threads", str(r.randint(1, 6)), "--shard-size", str(least * r.choice([1, 10, 300, 2000])),
                 "--input-mode", r.choice(common.MODES)]
        status, again, stderr = run([binary, "inspect", "--json", *flags, *names], folder)
        if status != 0 or again != first:
            problems.append(f"{' '.join(flags)}: status {status}, other output than before: {stderr}")
    return names, problems


def nothing_to_write(binary, folder, names):
    """Is that so? By the catalogue: no path with a value that is neither an object nor an array."""
    _, text, _ = run([binary, "inspect", "--json", *names], folder)
    return [f"--job: there is {path['path']}" for path in json.loads(text)["paths"]
            if set(path["types"]) - {"object", "array"}]


def check_job(binary, folder, names):
    status, job, stderr = run([binary, "inspect", "--job", *names], folder)
    if status == 65 and not job and b"no good record has a value that could be a column" in stderr.encode():
        return nothing_to_write(binary, folder, names)
    if status != 0:
        return [f"--job: status {status}: {stderr}"]
    with open(os.path.join(folder, "job.yaml"), "wb") as out:
        out.write(job)
    problems = []
    for command in (["check", "-j", "job.yaml"], ["export", "-j", "job.yaml", "--to", "null:"]):
        status, _, stderr = run([binary, *command], folder)
        if status != 0:
            problems.append(f"{command[0]} of the job: status {status}: {stderr[-500:]}")
    return problems


def samples(binary):
    problems = []
    for name in SAMPLES:
        with tempfile.TemporaryDirectory(prefix="penstock-inspect-") as folder, \
                open(os.path.join(DATASETS, name + ".ndjson"), "rb") as dump:
            names, found = check_catalogue(binary, folder, random.Random(1), [dump.read()])
            problems += [f"{name}: {text}" for text in found + check_job(binary, folder, names)]
    return problems


def one(binary, profilegen, seed):
    r = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="penstock-inspect-") as folder:
        kind = r.choice(["generated", "generated", "maps", "profiles"])
        if kind == "generated":
            dumps = [generated(seed + number) for number in range(r.choice([1, 1, 3]))]
        else:
            dumps = [maps(r) if kind == "maps" else profiles(r, profilegen, folder)]
        names, problems = check_catalogue(binary, folder, r, dumps)
        if not problems and inspect_model.Model(dumps).records:
            problems = check_job(binary, folder, names)
        return [f"{kind}: {text}" for text in problems]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("profilegen")
    arguments.add_argument("--seconds", type=float, default=20)
    arguments.add_argument("--start", type=int, default=1, help="first seed: the same dumps each time [1]")
    arguments.add_argument("--seed", type=int, default=None, help="this one only")
    options = arguments.parse_args()
    sys.setrecursionlimit(20000)
    binary, profilegen = common.program(options.binary), os.path.abspath(options.profilegen)
    problems = samples(binary)
    end, count = time.monotonic() + options.seconds, 0
    seed = options.seed if options.seed is not None else options.start
    while not problems and (count == 0 or (options.seed is None and time.monotonic() < end)):
        problems = [f"seed {seed}: {text}" for text in one(binary, profilegen, seed)]
        seed, count = seed + 100, count + 1
    for text in problems[:20]:
        print(text[:2000])
    print(f"inspect: {len(SAMPLES)} samples, {count} dumps, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
