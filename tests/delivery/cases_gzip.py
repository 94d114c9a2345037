"""files.compression: what readers of gzip and zstd make of the files, whole and one member each."""
import gzip
import hashlib
import os
import subprocess
import zlib

from world import HERE, PROFILE_COLUMNS, PROFILE_IDENTITY, WANTED, check, tool

ROWS = 9000  # about 1.7 MB of CSV: several units of 256 KiB in one file
SIZE_MOST = 1.10  # of what `pigz -1` makes of the same file


def spec_of(compression, **more):
    return {"identity": PROFILE_IDENTITY, "columns": PROFILE_COLUMNS,
            "files": {"name": "{name}_{part}.csv", "compression": compression, **more}}


def plain_and(world, compression, *flags, **more):
    """(the run without compression, the run with it): whose files must hold the same bytes."""
    source = world.dump(ROWS)
    plain = world.export(spec_of("none", **more), source)
    packed = world.export(spec_of(compression, **more), source, *flags)
    suffix = {"gzip": ".gz", "zstd": ".zst"}[compression]
    check(sorted(packed.files) == [name + suffix for name in sorted(plain.files)],
          f"{sorted(plain.files)} became {sorted(packed.files)}")
    return plain, packed


def members_of(stored):
    """[(bytes of a member's content)]"""
    members = []
    while stored:
        one = zlib.decompressobj(31)
        members.append(one.decompress(stored) + one.flush())
        check(one.eof, "a gzip member has no end")
        stored = one.unused_data
    return members


def java_reader(world):
    folder = world.place("java")
    tool(["javac", "-d", folder, os.path.join(HERE, "ReadWhole.java")])
    return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", folder, "ReadWhole"]


def case_gzip_one_member(world):
    plain, packed = plain_and(world, "gzip", max_rows=4000)
    for name, content in plain.files.items():
        stored = packed.files[name + ".gz"]
        members = members_of(stored)
        check(len(members) == 1, f"{name}.gz has {len(members)} members")
        check(members[0] == content, f"{name}.gz holds other bytes than {name}")
        check(stored[:3] == b"\x1f\x8b\x08", "no gzip header")
        check(stored[4:8] == b"\0\0\0\0", f"{name}.gz carries a time")
        check(stored[3] & 0x1f == 0, f"{name}.gz has header fields: flags {stored[3]}")
        check(int.from_bytes(stored[-4:], "little") == len(content) & 0xffffffff, "ISIZE is wrong")
        check(int.from_bytes(stored[-8:-4], "little") == zlib.crc32(content), "the CRC is wrong")


def case_gzip_read_by_others(world):
    """Java's GZIPInputStream over a stream whose available() is 0, gzip, zcat, pigz and Python."""
    plain, packed = plain_and(world, "gzip", max_rows=4000)
    paths = [os.path.join(packed.folder, name + ".gz") for name in sorted(plain.files)]
    two = world.write(world.place(), "two.gz", gzip.compress(b"first ") + gzip.compress(b"second"))
    reader = java_reader(world)
    lines = tool([*reader, *paths, two]).decode().splitlines()
    check(lines[-1].split()[0] == str(len("first ")), f"the Java reader reads on behind a member's end: {lines[-1]}")
    for name, path, line in zip(sorted(plain.files), paths, lines):
        content = plain.files[name]
        check(line == f"{len(content)} {hashlib.sha256(content).hexdigest()}",
              f"Java read {line} of {name}.gz, which holds {len(content)} bytes")
        tool(["gzip", "-t", path])
        for command in (["gzip", "-dc", path], ["zcat", path], ["pigz", "-dc", path]):
            check(tool(command) == content, f"{command[0]} reads other bytes of {name}.gz")
        check(gzip.decompress(packed.files[name + ".gz"]) == content, f"Python reads other bytes of {name}.gz")


def case_gzip_sizes(world):
    """At most 10 % larger than `pigz -1`."""
    plain, packed = plain_and(world, "gzip")
    for name, content in plain.files.items():
        pigz = len(tool(["pigz", "-1", "-c"], data=content))
        check(len(packed.files[name + ".gz"]) <= pigz * SIZE_MOST,
              f"{name}.gz has {len(packed.files[name + '.gz'])} bytes, pigz -1 makes {pigz}")


def same_bytes(world, compression):
    source = world.dump(ROWS)
    first = None
    for flags in (["--threads", "1"], ["--threads", "2", "--shard-size", "70000"],
                  ["--threads", "5", "--input-mode", "mmap", "--shard-size", "4096"],
                  ["--threads", "3", "--walk", "on-demand"]):
        files = world.export(spec_of(compression), source, *flags).files
        check(first is None or files == first, f"{compression}: other bytes with {' '.join(flags)}")
        first = files


def case_gzip_same_bytes(world):
    same_bytes(world, "gzip")


def case_zstd_same_bytes(world):
    same_bytes(world, "zstd")


def case_zstd_read_by_others(world):
    plain, packed = plain_and(world, "zstd", max_rows=4000)
    for name, content in plain.files.items():
        path = os.path.join(packed.folder, name + ".zst")
        tool(["zstd", "-tq", path])
        check(tool(["zstd", "-dcq", path]) == content, f"zstd reads other bytes of {name}.zst")


def case_gzip_of_little(world):
    """A header alone, and one row."""
    nobody = {**spec_of("gzip", empty="header"), "segments": {"ids": ["nobody"]}}
    ended = world.export(nobody, world.dump(50))
    check(list(ended.files) == ["acme_0001.csv.gz"], f"files: {sorted(ended.files)}")
    content = members_of(ended.files["acme_0001.csv.gz"])
    check(len(content) == 1 and content[0].count(b"\n") == 1, f"the header alone: {content}")
    plain, packed = (world.export(spec_of(compression), world.dump(1)) for compression in ("none", "gzip"))
    content = members_of(packed.files["acme_0001.csv.gz"])
    check(content == [plain.files["acme_0001.csv"]], f"one row: {content}")


def case_gzip_in_report_and_manifest(world):
    """Sizes are those of the stored files, max_bytes those of the CSV."""
    spec = {**spec_of("gzip", max_bytes=100000), "pega": {}, "segments": {"ids": [WANTED]}}
    ended = world.export(spec, world.dump(ROWS))
    _, total, files = ended.manifest()
    rows = 0
    for name, size, count in files:
        content = members_of(ended.files[name])[0]
        rows += count
        check(size == len(ended.files[name]), f"{name}: size {size} in the manifest, {len(ended.files[name])} stored")
        check(len(content) <= 100000, f"{name} holds {len(content)} bytes of CSV")
    check(total == rows and len(files) == len(ended.data_names()), "total or files do not add up")
    listed = {os.path.basename(f["url"]): f["bytes"] for f in ended.report["files"] if f["kind"] == "data"}
    check(listed == {name: size for name, size, _ in files}, f"report: {listed}, manifest: {files}")
    summary = ended.report["metrics"]["sizeSummary"]["outputBytes"]
    check(summary == sum(listed.values()), f"outputBytes {summary}, files of {sum(listed.values())}")


def case_gzip_stopped_leaves_nothing(world):
    """A passed budget, far into the output."""
    with open(world.dump(ROWS), "rb") as dump:
        data = dump.read() + b"{broken\n"
    ended = world.export(spec_of("gzip"), data, "--threads", "2", status=65)
    check(not ended.files, f"left behind: {sorted(ended.files)}")


def case_compressed_files_end_whole_on_a_full_disk(world):
    """/dev/full can't be a destination folder; a limit on file sizes does the same to the files of a run."""
    folder = world.place()
    job = world.job(folder, spec_of("gzip"))
    command = f"ulimit -f 64; exec '{world.binary}' export -j '{job}' '{world.dump(ROWS)}' --to out --progress none"
    done = subprocess.run(["bash", "-c", "trap '' XFSZ; " + command], cwd=folder, capture_output=True, timeout=120,
                          check=False)
    left = os.listdir(os.path.join(folder, "out")) if os.path.isdir(os.path.join(folder, "out")) else []
    check(done.returncode == 74, f"ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    check(not left, f"left behind: {left}")
