"""Where a benchmark keeps its files: dumps on a disk's file system and in page cache, as users have them; what is
written on tmpfs, where no disk has a part in it. bench/README.md says why.

Python's standard library only.
"""
import collections
import contextlib
import ctypes
import mmap
import os
import re
import shutil

import benchlib
from benchlib import Wrong, MIB

TMPFS = "/dev/shm"
NO_DISK = ("tmpfs", "ramfs")
SPARE = 2  # times the bytes that must be in memory: the rest is for programs, and for the page cache of others
ROW_BYTES = 250  # of a row of CSV, rounded up: for room only
CACHED = 0.99  # of a dump, in page cache before laps begin; mincore(2) counts whole pages

# Folders, and words about them for the environment block.
Places = collections.namedtuple("Places", "dumps outputs storage")


def memory_available():
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def free(folder):
    return shutil.disk_usage(folder).free


def file_system(folder, mounts="/proc/self/mountinfo"):
    """Its type, by proc_pid_mountinfo(5): of the mounts above the folder the nearest, of several there the last one."""
    folder, found, kind = os.path.realpath(folder), "", "unknown"
    with open(mounts, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            before, after = line.split(" - ", 1)
            point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split()[4])
            if len(point) >= len(found) and (folder + "/").startswith(point.rstrip("/") + "/"):
                found, kind = point, after.split()[0]
    return kind


def choose(folder, dumps, outputs, spare=SPARE):
    """Places for as many bytes of each. Dumps go to `folder` if its disk can have them, else to tmpfs; outputs to tmpfs,
    or beside the dumps where memory has no room for both, `spare` times over."""
    memory, disk, left = memory_available(), file_system(folder), free(folder)
    shared = free(TMPFS) if os.path.isdir(TMPFS) and file_system(TMPFS) in NO_DISK else 0
    if memory < spare * dumps:
        raise Wrong(f"memory has no room for {dumps // MIB} MiB of sample data: {memory // MIB} MiB are available, "
                    f"{spare} times as much is wanted; smaller dumps need less")
    outside = min(shared, memory - spare * dumps) >= spare * outputs  # of the folder
    if left < dumps and min(shared, memory) >= spare * (dumps + outputs):
        return Places(TMPFS, TMPFS, f"dumps on tmpfs (no room on {disk}), outputs on tmpfs")
    if left < dumps + (0 if outside else outputs):
        raise Wrong(f"no room for {(dumps + outputs) // MIB} MiB of sample data in {folder} ({disk}), nor on tmpfs; "
                    "smaller dumps need less")
    words = f"dumps on {disk} ({'no disk' if disk in NO_DISK else 'page cache'}), outputs on "
    if outside:
        return Places(folder, TMPFS, words + "tmpfs")
    return Places(folder, folder, f"{words}{disk} (no room on tmpfs)")


@contextlib.contextmanager
def scratch(folder, dumps, outputs, spare=SPARE):
    """Temporary folders where choose() says, of which nothing is left."""
    chosen = choose(folder, dumps, outputs, spare)
    with benchlib.scratch(chosen.dumps) as at, benchlib.scratch(chosen.outputs) as to:
        yield Places(at, to, chosen.storage)


# ---- page cache ----

def warm(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(MIB):
            pass


def resident(path):
    """Bytes of a file that the page cache has: mincore(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    size = os.path.getsize(path)
    pages = ctypes.create_string_buffer(-(-size // mmap.PAGESIZE))
    with open(path, "rb") as file:
        base = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        if libc.mincore(base, size, pages) != 0:
            raise Wrong(f"mincore: {os.strerror(ctypes.get_errno())}")
        libc.munmap(base, size)
    return sum(byte & 1 for byte in pages.raw) * mmap.PAGESIZE


def files_of(*paths):
    """Those that are named and all in folders that are, but for empty ones."""
    for path in paths:
        inside = [os.path.join(at, name) for at, _, names in os.walk(path) for name in names]
        yield from (file for file in (inside if os.path.isdir(path) else [path]) if os.path.getsize(file) > 0)


def settle(*paths):
    """Before laps: files on their disk, so that none is written back beside laps, and in page cache. Raises Wrong when
    they don't stay there."""
    files = list(files_of(*paths))
    for path in files:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        warm(path)
    for path in files:
        if resident(path) < CACHED * os.path.getsize(path):
            raise Wrong(f"{path}: {resident(path) // MIB} of {os.path.getsize(path) // MIB} MiB stay in page cache: "
                        "memory has no room for it; smaller dumps need less")
