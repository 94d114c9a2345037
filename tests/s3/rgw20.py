#!/usr/bin/env python3
"""Ceph's RADOS Gateway 20 from Debian's testing suite in a chroot: the one packaged server that checks
x-amz-checksum-* (CRC-64/NVME too), full-object checksums and If-None-Match at Complete. Rig program (rig.py): builds
the chroot once (some 50 s, 0.8 GB), starts rgw.py in it, prints what that prints with paths of this side.

    rgw20.py [--build-only] [arguments of rgw.py]

Needs root, debootstrap, and Debian's mirror the first time; where one of them is not there it says {"skip": why}.
PENSTOCK_RGW20 names another place than /var/tmp/penstock-rgw20. A testing suite moves: when it breaks, remove the place
and let it be built anew. Mounts are made in a namespace of their own and vanish with it."""
import fcntl
import glob
import json
import os
import re
import select
import shutil
import subprocess
import sys

import rig

SUITE = "forky"
PLACE = os.environ.get("PENSTOCK_RGW20", "/var/tmp/penstock-rgw20")
PACKAGES = "radosgw ceph-mon ceph-osd ceph-common openssl python3"
BUILD_SECONDS = 400
DONE = ".penstock-done"  # written last


def mirror():
    """Where this machine has its Debian from: the first archive in apt's sources that is not of security updates."""
    places = sorted(glob.glob("/etc/apt/sources.list.d/*.sources") + glob.glob("/etc/apt/sources.list.d/*.list"))
    for place in ["/etc/apt/sources.list"] + places:
        try:
            with open(place, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        for line in lines:
            found = re.match(r"(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(https?://\S+/debian/?)(?:\s|$)", line)
            if found:
                return found[1]
    raise rig.Skip("apt's sources name no Debian archive")


def inside(root, *command):
    """A command line that runs in the chroot, with a /proc."""
    return ["unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$@"', root, root,
            "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive", *command]


def run(command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=BUILD_SECONDS, check=False, preexec_fn=rig.die_with_parent)
    except subprocess.TimeoutExpired as late:
        raise rig.Skip(f"{command[0]} took more than {BUILD_SECONDS} s: is the mirror slow?") from late
    if done.returncode != 0:
        tail = " / ".join(done.stdout.decode("utf-8", "replace").strip().splitlines()[-3:])
        raise rig.Skip(f"the chroot can't be built ({SUITE}): {tail}")


def build():
    """Makes PLACE. Another one that does it at the same time is waited for."""
    with open(PLACE + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(os.path.join(PLACE, DONE)):
            return
        if shutil.disk_usage(os.path.dirname(PLACE)).free < 2 << 30:
            raise rig.Skip(f"less than 2 GiB free beside {PLACE}")
        shutil.rmtree(PLACE, ignore_errors=True)
        # The script of sid: an older debootstrap does not know the suite's name.
        run(["debootstrap", "--variant=minbase", SUITE, PLACE, mirror(), "/usr/share/debootstrap/scripts/sid"])
        with open(os.path.join(PLACE, "usr/sbin/policy-rc.d"), "w", encoding="utf-8") as policy:
            policy.write("#!/bin/sh\nexit 101\n")  # no services
        os.chmod(os.path.join(PLACE, "usr/sbin/policy-rc.d"), 0o755)
        with open(os.path.join(PLACE, "etc/apt/apt.conf.d/99penstock"), "w", encoding="utf-8") as settings:
            # A testing suite's Release file expires within days; a clock that is ahead would stop apt.
            settings.write('APT::Install-Recommends "false";\nAcquire::Check-Valid-Until "false";\n')
        run(inside(PLACE, "sh", "-c", f"apt-get -q update && apt-get -q -y install {PACKAGES} && apt-get clean"))
        with open(os.path.join(PLACE, DONE), "w", encoding="utf-8"):
            pass


class Inner:
    """rgw.py in the chroot."""

    def __init__(self, arguments):
        for name in ("rgw.py", "rig.py"):
            shutil.copy(os.path.join(rig.HERE, name), os.path.join(PLACE, "root", name))
        self.process = subprocess.Popen(inside(PLACE, "python3", "/root/rgw.py", *arguments), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)

    def told(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 200)
        line = self.process.stdout.readline() if ready else ""
        told = json.loads(line) if line.startswith("{") else {"error": "it said nothing"}
        if "url" not in told:
            raise RuntimeError(f"in the chroot {PLACE}: {told.get('error') or told.get('missing')}")
        for name in ("ca", "log"):
            told[name] = PLACE + told[name]
        return told

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main():
    arguments = [a for a in sys.argv[1:] if a != "--build-only"]
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0

    def start(stages):
        if os.geteuid() != 0:
            raise rig.Skip("a chroot needs root")
        if not os.path.exists(os.path.join(PLACE, DONE)):
            rig.need(debootstrap="debootstrap")
            build()
        if "--build-only" in sys.argv:
            return {"built": PLACE}
        inner = Inner(arguments)
        stages.append(inner)
        return inner.told()

    return rig.serve(start)


if __name__ == "__main__":
    sys.exit(main())
