#!/usr/bin/env python3
"""Delivery to S3 from outside: against a scripted S3 that checks everything and misbehaves as told, and against real
servers (Ceph RGW 16 and 20, Swift) started here on free ports.

    run.py PENSTOCK [--only REGEX] [--list] [--jobs N] [--seconds-limit S] [--no-real] [-v]

What a rig needs and is not installed is a failure that names the package. RGW 20 alone may be left out, with a loud
line, where Debian's testing suite can't be reached. --no-real leaves out all real servers, and says so.
Everything started here is stopped at the end, also by Ctrl-C. Packages: install_dependencies test."""
import argparse
import concurrent.futures
import os
import re
import signal
import sys
import threading
import time
import traceback

import checksums
import rig
from s3_case import CASES, ENDED, Case, Ended, Inputs, drop_everything

import cases_access  # noqa: F401  each registers its cases
import cases_commands  # noqa: F401
import cases_delivery  # noqa: F401
import cases_faults  # noqa: F401
import cases_former  # noqa: F401
import cases_real  # noqa: F401
import cases_source  # noqa: F401
import cases_replace  # noqa: F401
import cases_two_stores  # noqa: F401
import cases_verify  # noqa: F401

RIGS = {
    "rgw": ("rgw.py", ),
    "rgw_busy": ("rgw.py", "--extra", "rgw_max_concurrent_requests = 2"),
    "rgw20": ("rgw20.py", ),
    "swift": ("swift.py", )}
MAY_BE_LEFT_OUT = {"rgw20"}
RIG_SECONDS = {"rgw20": 480}  # the first time it is built


class Rigs:
    """The servers that the chosen cases want, started at once and together."""

    def __init__(self, names):
        self.running = {name: rig.Rig(*RIGS[name]) for name in names}
        self.proxies, self.lock = {}, threading.Lock()

    def told(self, name):
        return self.running[name].told(RIG_SECONDS.get(name, 240))

    def proxy(self, name):
        """A fault proxy in front of a rig, for one case. The caller closes it."""
        return rig.Rig("nginx_rig.py", "fault", self.told(name)["url"].rsplit(":", 1)[1])

    def close(self):
        for one in self.running.values():
            try:
                one.process.stdin.close()  # all at once; then wait
            except OSError:
                pass
        for one in self.running.values():
            one.close()


class Driver:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.counts = {"passed": 0, "failed": 0, "left out": 0}
        self.runs = 0
        self.left_out = {}

    def say(self, mark, name, seconds, lines=()):
        with self.lock:
            if mark != "ok" or self.options.v:
                print(f"{mark:6} {seconds:6.1f} s  {name}", flush=True)
            for line in lines:
                print("    " + line.replace("\n", "\n    "), flush=True)

    def run_one(self, registered, inputs, rigs):
        began = time.monotonic()
        if began - self.began > self.options.seconds_limit:
            with self.lock:
                self.counts["failed"] += 1
            self.say("FAILED", registered.name, 0, [f"not begun: {self.options.seconds_limit} s are over"])
            return
        one = Case(registered.name, self.options.penstock, inputs, rigs)
        try:
            registered.function(one)
        except rig.Skip as skip:
            with self.lock:
                self.counts["left out"] += 1
                self.left_out.setdefault(str(skip), []).append(registered.name)
            return
        except Ended:
            return
        except rig.Missing as missing:
            one.fail(str(missing))
        except Exception:
            one.fail(traceback.format_exc())
        finally:
            one.close()
        if ENDED.is_set():
            return  # what was killed did not fail
        with self.lock:
            self.runs += one.runs
            self.counts["failed" if one.problems else "passed"] += 1
        shown = one.problems[:8] + ([f"... and {len(one.problems) - 8} more"] if len(one.problems) > 8 else [])
        self.say("FAILED" if one.problems else "ok", registered.name, time.monotonic() - began, shown)

    def run(self, chosen):
        wanted = sorted({name for c in chosen for name in c.rigs})
        if self.options.no_real:
            chosen = [c for c in chosen if not c.rigs]
            print("LEFT OUT by --no-real: everything against real servers")
            wanted = []
        checksums.text("crc64nvme", b"")  # compiled and checked before threads begin
        rigs, inputs = Rigs(wanted), Inputs(self.options.penstock)
        pool = concurrent.futures.ThreadPoolExecutor(self.options.jobs)
        try:
            # Those that wait longest first; those of rigs that take their time to start last.
            order = sorted(chosen, key=lambda c: ("rgw20" in c.rigs, -c.seconds))
            for future in [pool.submit(self.run_one, c, inputs, rigs) for c in order]:
                future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            rigs.close()
            inputs.close()
        for why, names in self.left_out.items():
            print(f"\n!!! LEFT OUT: {len(names)} cases ({', '.join(names)}): {why}\n")
        parts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        print(f"s3: {'FAILED' if self.counts['failed'] else 'passed'}: {parts}; {self.runs} runs of penstock, "
              f"{time.monotonic() - self.began:.0f} s")
        if not sum(self.counts.values()):
            print("s3: NOTHING WAS RUN")
            return 1
        return 1 if self.counts["failed"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("penstock")
    parser.add_argument("--only", default="", help="cases whose names hold this regular expression")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=16, help="cases at once: most of them wait [16]")
    parser.add_argument("--seconds-limit", type=float, default=1200, help="cases not begun by then fail [1200]")
    parser.add_argument("--no-real", action="store_true")
    parser.add_argument("-v", action="store_true", help="name every case")
    options = parser.parse_args()
    options.penstock = os.path.abspath(options.penstock)
    chosen = [c for c in CASES if re.search(options.only, c.name)]
    if options.list:
        for c in chosen:
            print(f"{c.name:50} {' '.join(c.rigs)}")
        return 0
    if not os.access(options.penstock, os.X_OK):
        print(f"s3: {options.penstock} can't be run: not built yet?")
        return 1

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        return Driver(options).run(chosen)
    except KeyboardInterrupt:
        drop_everything()
        print("s3: interrupted")
        sys.stdout.flush()
        os._exit(130)  # threads of cases may be waiting


if __name__ == "__main__":
    sys.exit(main())
