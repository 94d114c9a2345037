#!/usr/bin/env python3
"""CLI tests as files: what people and their scripts see of penstock.

    run.py BINARY [--update] [--only GLOB] [--jobs N] [-v]

A case is a folder tests/cli/cases/NAME with
  cmd      shell text, run by `bash -o pipefail` in a scratch copy of the folder; $PENSTOCK is the program, $FIELD
           prints fields of a JSON file (field.py), $RUN holds --run-time and --run-id for fixed names
  exit     the exit status; "0" when the file is missing
  stdout   standard output, exactly; nothing when the file is missing
  stderr   one glob (fnmatch, case matters, "[[]" is a bracket) a line: each must match a line of standard error, in
           this order, lines between are free; "!GLOB": no line may match; an empty file: no output at all;
           missing: not looked at
  after    shell text, run after cmd in the same scratch folder: must end with 0; what it prints is shown
All other files are there for the command. --update writes what came to exit and stdout (never to stderr's globs).
"""
import argparse
import concurrent.futures
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
RUN_FLAGS = "--run-time 2026-11-22T03:00:00Z --run-id 0123456789abcdef"
TIMEOUT = 300  # seconds: whatever takes this long hangs, also on a busy machine
SPECIAL = ("cmd", "exit", "stdout", "stderr", "after")


def read(path, default=None):
    if not os.path.exists(path):
        return default
    with open(path, "rb") as text_file:
        return text_file.read()


def environment(binary, scratch):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENSTOCK_", "AWS_", "XDG_"))}
    kept.update({"PENSTOCK": binary, "FIELD": f"{sys.executable} {os.path.join(HERE, 'field.py')}", "RUN": RUN_FLAGS,
                 "HOME": scratch, "LC_ALL": "C.UTF-8", "TZ": "America/Caracas"})
    return kept


def shell(text, folder, env):
    try:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", text], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        return done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        return f"no end after {TIMEOUT} s", late.stdout or b"", late.stderr or b""


def direct(command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
        return done.returncode, done.stdout, done.stderr
    except OSError as error:
        return error.strerror, b"", b""


def stderr_problems(patterns, lines):
    if not patterns:
        return [f"standard error: nothing expected, got {lines[:3]}"] if lines else []
    problems = []
    at = 0
    for pattern in patterns:
        if pattern.startswith("!"):
            bad = [line for line in lines if fnmatch.fnmatchcase(line, pattern[1:])]
            if bad:
                problems.append(f"standard error: {bad[0]!r} matches {pattern!r}")
            continue
        while at < len(lines) and not fnmatch.fnmatchcase(lines[at], pattern):
            at += 1
        if at == len(lines):
            problems.append(f"standard error: no line matches {pattern!r} (in this order); it was:")
            problems += ["  | " + line for line in lines[:10]]
            return problems
        at += 1
    return problems


def run_case(name, binary, update):
    case = os.path.join(CASES, name)
    scratch = tempfile.mkdtemp(prefix="penstock-cli-")
    folder = os.path.join(scratch, "case")
    try:
        shutil.copytree(case, folder, ignore=lambda _, names: [n for n in names if n in SPECIAL], symlinks=True)
        env = environment(binary, scratch)
        command = read(os.path.join(case, "cmd"))
        if command is None:
            return ["cmd is missing"]
        status, out, err = shell(command.decode(), folder, env)
        problems = []
        wanted_status = read(os.path.join(case, "exit"), b"0").decode().strip()
        wanted_out = read(os.path.join(case, "stdout"), b"")
        if update:
            update_case(case, status, out)
        else:
            if str(status) != wanted_status:
                problems.append(f"exit status: expected {wanted_status}, got {status}")
            if out != wanted_out:
                problems.append(f"standard output: expected {wanted_out[:600]!r}")
                problems.append(f"                      got {out[:600]!r}")
        patterns = read(os.path.join(case, "stderr"))
        lines = err.decode("utf-8", "replace").splitlines()
        if patterns is not None:
            problems += stderr_problems(patterns.decode().splitlines(), lines)
        after = read(os.path.join(case, "after"))
        if after is not None:
            status, out, more = shell(after.decode(), folder, env)
            if status != 0:
                problems.append(f"after: ended with {status}: {(out + more).decode('utf-8', 'replace')[:600]}")
        if problems and not any("standard error" in p for p in problems):
            problems += ["  stderr | " + line for line in lines[:6]]
        return problems
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def update_case(case, status, out):
    for name, content, default in (("exit", f"{status}\n".encode(), b"0\n"), ("stdout", out, b"")):
        path = os.path.join(case, name)
        if content == default:
            if os.path.exists(path):
                os.remove(path)
        else:
            with open(path, "wb") as expected:
                expected.write(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--only", default="*", help="cases whose names match this glob")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-v", action="store_true", help="name every case")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    status, out, _ = direct([binary, "--version"])
    if status != 0 or not out:
        print(f"cli: {binary} --version ended with {status}: not built yet, or just being linked?")
        return 1
    names = sorted(n for n in os.listdir(CASES) if fnmatch.fnmatchcase(n, options.only))
    groups = {}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, problems in zip(names, pool.map(lambda n: run_case(n, binary, options.update), names)):
            group = groups.setdefault(name.split("-")[0], [0, 0])
            group[0] += 1
            if problems:
                failed += 1
                group[1] += 1
                print(f"FAILED {name}")
                for problem in problems:
                    print(f"    {problem}")
            elif options.v:
                print(f"ok     {name}")
    for group, (count, bad) in sorted(groups.items()):
        print(f"{group}: {count} cases, {bad} failed")
    if not names:
        print("cli: NOTHING WAS RUN")
        return 1
    print(f"cli: {'FAILED' if failed else 'passed'}: {len(names)} cases, {failed} failed"
          + (" (updated)" if options.update else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
