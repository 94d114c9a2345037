"""`penstock verify`: good deliveries pass, and every kind of damage is found and named, with status 74."""
import gzip
import os
import re
import shutil
import subprocess

from world import PROFILE_COLUMNS, PROFILE_IDENTITY, check, tool

ROWS = 900


class Delivery:
    """A delivery of three files and its manifest, in a folder of its own that may be damaged."""

    def __init__(self, world, compression="none", **more):
        self.world = world
        spec = {"identity": PROFILE_IDENTITY, "columns": PROFILE_COLUMNS, "pega": {"manifest": "m.xml"},
                "files": {"name": "{part}.csv", "max_rows": 300, "compression": compression}, **more}
        self.ended = world.export(spec, world.dump(ROWS))
        self.folder = self.ended.folder
        self.report = os.path.join(os.path.dirname(self.folder), "report.json")
        self.job = os.path.join(os.path.dirname(self.folder), "job.json")
        self.names = self.ended.data_names()
        self.pristine = self.folder + ".pristine"
        shutil.copytree(self.folder, self.pristine)

    def again(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.pristine, self.folder)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as stored:
            return stored.read()

    def write(self, name, content):
        with open(os.path.join(self.folder, name), "wb") as stored:
            stored.write(content)

    def content(self, name):
        """Without compression."""
        raw = self.read(name)
        if name.endswith(".gz"):
            return gzip.decompress(raw)
        return tool(["zstd", "-dcq"], data=raw) if name.endswith(".zst") else raw

    def put(self, name, content):
        """Compressed as the name says; the manifest is told the new size."""
        if name.endswith(".gz"):
            content = gzip.compress(content, mtime=0)
        elif name.endswith(".zst"):
            content = tool(["zstd", "-cq"], data=content)
        self.write(name, content)
        self.tell(name, "size", len(content))

    def tell(self, name, element, value):
        """Another value in the manifest."""
        text = self.read("m.xml").decode()
        found = re.search(rf"<name>{re.escape(name)}</name>.*?<{element}>(\d+)</{element}>", text, re.DOTALL)
        self.write("m.xml", (text[:found.start(1)] + str(value) + text[found.end(1):]).encode())

    def verify(self, *flags, status=0):
        found, stdout, stderr = self.world.command(["verify", *flags, os.path.join(self.folder, "m.xml")], self.folder)
        check(found == status, f"verify {' '.join(flags)} ended with {found}, not {status}: {(stdout + stderr).strip()[-500:]}")
        return stdout + stderr

    def damaged(self, what, *words, flags=()):
        """Status 74, and each of the words in what is said."""
        text = self.verify(*flags, status=74)
        for word in words:
            check(word in text, f"{what}: '{word}' is not named: {text.strip()[:600]}")
        self.again()


def case_verify_passes_what_is_whole(world):
    for compression in ("none", "gzip", "zstd"):
        delivery = Delivery(world, compression)
        delivery.verify()
        delivery.verify("--report", delivery.report)
        delivery.verify("-j", delivery.job, "--report", delivery.report)
    # other dialects need the job
    for csv in ({"delimiter": ";", "line_end": "crlf", "quote": "all"}, {"header": "first"}, {"header": "none"},
                {"dialect": "pega", "null": "NULL"}):
        delivery = Delivery(world, "gzip", csv=csv)
        delivery.verify("-j", delivery.job, "--report", delivery.report)


def case_verify_passes_a_delivery_of_nothing(world):
    for empty in ("none", "header"):
        delivery = Delivery(world, segments={"ids": ["nobody"]}, files={"name": "{part}.csv", "empty": empty})
        delivery.verify("--report", delivery.report)


def case_verify_finds_a_prefix(world):
    """Names are relative to Pega's repository root: above the manifest's folder, when path_prefix says so."""
    folder = world.place()
    spec = {"identity": PROFILE_IDENTITY, "columns": PROFILE_COLUMNS, "files": {"name": "{part}.csv"},
            "pega": {"manifest": "m.xml", "path_prefix": "CustomerData/"}}
    ended = world.export(spec, world.dump(50), to=os.path.join(folder, "CustomerData"))
    job = os.path.join(os.path.dirname(os.path.join(world.scratch, f"{world.count:03d}", "x")), "job.json")
    manifest = os.path.join(ended.folder, "m.xml")
    for flags in ([], ["-j", job]):
        status, stdout, stderr = world.command(["verify", *flags, manifest], folder)
        check(status == 0, f"verify {flags} ended with {status}: {(stdout + stderr).strip()[-400:]}")


def rows_of(content):
    return content.splitlines(keepends=True)


def case_verify_rows_and_columns(world):
    """Sizes are put right in the manifest: the rows themselves must be looked at."""
    for compression in ("none", "gzip", "zstd"):
        delivery = Delivery(world, compression, csv={"dialect": "pega"})
        second = delivery.names[1]
        lines = rows_of(delivery.content(second))
        delivery.put(second, b"".join(lines[:100] + lines[101:]))
        delivery.damaged("a row removed", second, "299", "300")
        delivery.put(second, b"".join(lines + lines[-1:]))
        delivery.damaged("a row added", second, "301", "300")
        delivery.put(second, b"".join(lines[:1] + [lines[1].replace(b",", b",,", 1)] + lines[2:]))
        delivery.damaged("a column more", second)
        delivery.put(second, b"".join(lines[:-1] + [b"alone\n"]))
        delivery.damaged("columns missing", second)
        delivery.put(second, b"".join([lines[0].replace(b"LastName", b"lastname")] + lines[1:]))
        delivery.damaged("another header", second)
        delivery.put(second, b"".join(lines[1:] + lines[-1:]))
        delivery.damaged("no header", second)
        delivery.put(second, b"".join(lines[:-1]) + b'"open,' + lines[-1])
        delivery.damaged("a quote left open", second)


def case_verify_counts_rows_as_a_csv_reader(world):
    """Line breaks inside quotes are no rows."""
    delivery = Delivery(world)
    check(any(delivery.content(name).count(b"\n") > 301 for name in delivery.names), "no value with a line break in the dump")
    delivery.verify()


def case_verify_sizes_and_counts(world):
    delivery = Delivery(world)
    first, second, third = delivery.names
    size = len(delivery.read(second))
    delivery.tell(second, "size", size + 1)
    delivery.damaged("a wrong size", second, str(size), str(size + 1))
    delivery.tell(second, "recordCount", 299)
    delivery.damaged("a wrong count", second, "299", "300")
    text = delivery.read("m.xml").replace(b"<totalRecordCount>900<", b"<totalRecordCount>901<")
    delivery.write("m.xml", text)
    delivery.damaged("a wrong total", "900", "901")
    os.remove(os.path.join(delivery.folder, second))
    delivery.damaged("a file missing", second)
    delivery.write(second, b"")
    delivery.damaged("an empty file", second)
    # each thing is said, not the first alone
    os.remove(os.path.join(delivery.folder, first))
    delivery.put(third, delivery.content(third)[:-1] + b"x,y\n")
    delivery.tell(second, "size", 5)
    delivery.damaged("three things at once", first, second, third)


def case_verify_flipped_bytes(world):
    """A value that changed shows in the checksum alone, which the report has."""
    for compression in ("none", "gzip", "zstd"):
        delivery = Delivery(world, compression)
        name = delivery.names[2]
        raw = bytearray(delivery.read(name))
        at = raw.index(b"example.") if compression == "none" else len(raw) // 2
        raw[at] ^= 1
        delivery.write(name, bytes(raw))
        delivery.damaged(f"a flipped bit ({compression})", name, flags=("--report", delivery.report))
    # inside compressed data the codec's own checksum shows it without a report
    delivery = Delivery(world, "gzip")
    name = delivery.names[0]
    raw = bytearray(delivery.read(name))
    raw[-6] ^= 0x10
    delivery.write(name, bytes(raw))
    delivery.damaged("a wrong CRC-32", name)


def case_verify_broken_gzip(world):
    delivery = Delivery(world, "gzip")
    name = delivery.names[1]
    raw, content = delivery.read(name), delivery.content(name)
    cuts = (len(raw) - 1, len(raw) - 8, len(raw) // 2, 12, 0)
    two = gzip.compress(content[:2000], mtime=0) + gzip.compress(content[2000:], mtime=0)
    for what, stored in [(f"cut to {cut} bytes", raw[:cut]) for cut in cuts] + [
            ("two members", two), ("bytes behind the member", raw + b"\0" * 9), ("no gzip at all", content)]:
        delivery.write(name, stored)
        delivery.tell(name, "size", len(stored))
        delivery.damaged(what, name)


def case_verify_broken_zstd(world):
    delivery = Delivery(world, "zstd")
    name = delivery.names[1]
    raw, content = delivery.read(name), delivery.content(name)
    for what, stored in (("cut", raw[:-1]), ("half", raw[:len(raw) // 2]), ("no zstd at all", content), ("junk behind", raw + b"junk")):
        delivery.write(name, stored)
        delivery.tell(name, "size", len(stored))
        delivery.damaged(what, name)


def case_verify_manifests(world):
    """One that is missing is 66; one that can't be read as a manifest is damage, or no manifest."""
    delivery = Delivery(world)
    for what, content in (("cut", delivery.read("m.xml")[:-20]), ("no XML", b"CustomerID,FirstName\n"), ("empty", b""),
                          ("another root", b"<files/>"), ("no counts", re.sub(rb"<recordCount>\d+</recordCount>", b"",
                                                                            delivery.read("m.xml"))),
                          ("no number", delivery.read("m.xml").replace(b">300<", b">many<"))):
        delivery.write("m.xml", content)
        delivery.verify(status=74)
        delivery.again()
    os.remove(os.path.join(delivery.folder, "m.xml"))
    delivery.verify(status=66)
    delivery.again()
    # names that lead out of the delivery are not followed
    delivery.write("m.xml", delivery.read("m.xml").replace(b"<name>0001.csv<", b"<name>../report.json<"))
    delivery.verify(status=74)
    delivery.again()


def case_verify_uses_the_report(world):
    delivery = Delivery(world)
    other = Delivery(world, csv={"dialect": "pega"})
    delivery.verify("--report", other.report, status=74)
    status, _, stderr = world.command(["verify", "--report", "none.json", os.path.join(delivery.folder, "m.xml")],
                                      delivery.folder)
    check(status not in (0, 70) and "none.json" in stderr, f"a report that is not there: {status}, {stderr.strip()}")


def case_verify_streams(world):
    """Memory does not grow with the files, and a large row is no trouble."""
    row = b'{"id":"1","a":"' + b"x" * 3000000 + b'"}\n'
    ended = world.export({"pega": {"manifest": "m.xml"}, "files": {"name": "x.csv", "compression": "gzip"}}, row * 6)
    manifest = os.path.join(ended.folder, "m.xml")
    command = f"ulimit -v 1500000; exec '{world.binary}' verify '{manifest}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    check(done.returncode == 0, f"ended with {done.returncode}: {done.stderr.decode()[-300:]}")
