#!/usr/bin/env python3
"""Deliveries seen from outside: by the programs that read them, by models that share nothing with penstock, and with
damage of every kind. Standard library, and Java, xmllint, pigz, zstd, sort.

    run.py BINARY PROFILEGEN [--only TEXT] [--quick] [-v]

A case is a function case_NAME(world) of a module cases_*.py here; it ends quietly or raises. --quick leaves out the
cases of QUICK_LEAVES_OUT: for builds with sanitizers.
"""
import argparse
import glob
import importlib
import os
import sys
import tempfile
import time
import traceback

import world as worlds
from world import common

# Long ones, and one that limits the address space, of which AddressSanitizer takes terabytes.
QUICK_LEAVES_OUT = ("gzip_read_by_others", "gzip_sizes", "latest_against_sort_large", "files_of_even_size",
                    "verify_streams")


def cases():
    """[(name, function)] of all modules, in their order."""
    found = []
    for path in sorted(glob.glob(os.path.join(worlds.HERE, "cases_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        found += [(name[5:], function) for name, function in vars(module).items()
                  if name.startswith("case_") and callable(function)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("profilegen")
    parser.add_argument("--only", default="", help="cases whose names hold this text")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-v", action="store_true", help="seconds of every case")
    options = parser.parse_args()
    binary, profilegen = common.program(options.binary), common.program(options.profilegen)
    chosen = [(name, function) for name, function in cases() if options.only in name]
    left_out = [name for name, _ in chosen if options.quick and name in QUICK_LEAVES_OUT]
    failed = 0
    for name, function in chosen:
        if name in left_out:
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="penstock-delivery-") as scratch:
            try:
                function(worlds.World(binary, profilegen, scratch))
                if options.v:
                    print(f"ok     {name} ({time.monotonic() - begin:.1f} s)")
            except worlds.Failed as problem:
                failed += 1
                print(f"FAILED {name}: {problem}")
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED {name}: {traceback.format_exc(limit=-3)}")
        sys.stdout.flush()
    if left_out:
        print(f"left out (--quick): {', '.join(left_out)}")
    ran = len(chosen) - len(left_out)
    if ran == 0:
        print("delivery: NOTHING WAS RUN")
        return 1
    print(f"delivery: {'FAILED' if failed else 'passed'}: {ran} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
