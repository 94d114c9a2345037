#!/usr/bin/env python3
"""Compressed bytes must not depend on the CPU, nor on where memory lies: runs pack_print several times on this CPU and,
with qemu-x86_64, on CPUs with SSE4.2, AVX and AVX2 only, and compares what it prints. Needs qemu-user.

    simd.py BUILD/pack_print
"""
import platform
import subprocess
import sys

# isa-l's code for each of these is another: SSE4.2, AVX, AVX2.
CPUS = ["Nehalem", "SandyBridge", "Haswell"]
# Addresses are random: each run of the program has others.
RUNS = 5


def lines_of(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    wanted = lines_of([program])
    others = {f"run {run}": [program] for run in range(2, RUNS + 1)}
    if platform.machine() == "x86_64":
        others |= {cpu: ["qemu-x86_64", "-cpu", cpu, program] for cpu in CPUS}
    else:
        print("left out: other CPUs, which are those of x86-64")
    for name, command in others.items():
        lines = lines_of(command)
        for mine, other in zip(wanted, lines):
            if mine != other:
                sys.exit(f"simd: format, sort, length: run 1 has {mine}, {name} has {other}")
        if len(lines) != len(wanted):
            sys.exit(f"simd: {name} prints {len(lines)} lines, run 1 prints {len(wanted)}")
    print(f"{len(wanted)} cases, the same in {RUNS} runs here and on {', '.join(CPUS)}")


main()
