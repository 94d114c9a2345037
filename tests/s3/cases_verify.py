"""penstock verify with S3: objects read by ranges, whole and again over faults, and what it says of what is wrong."""
import gzip
import hashlib
import json
import os

import checksums
from scripted_model import MIB, Key, Stored
from s3_case import ACCESS, BUCKET, PREFIX, SECRET, SIGINT, case, send_signal_when

MANIFEST = PREFIX + "m.xml"
HEADER = b"CustomerID,Name\n"


def put(s3, key, data):
    s3.buckets[BUCKET].objects[key] = Stored(data, '"' + hashlib.md5(data).hexdigest() + '"', {})


def rows(first, count):
    return b"".join(b'%d,"Name ""%d"",\n of many"\n' % (i, i) for i in range(first, first + count))


def manifest(files):
    total = sum(records for _, _, records in files)
    inner = "".join(f"<file><name>CustomerData/{name}</name><size>{size}</size><recordCount>{records}</recordCount>"
                    "</file>" for name, size, records in files)
    return (f"<?xml version='1.0'?><manifest><processType>CustomerDataIngestion</processType><totalRecordCount>{total}"
            f"</totalRecordCount><files>{inner}</files></manifest>").encode()


def deliver(s3, contents):
    """contents: name -> (data, rows). Puts objects and manifest."""
    for name, (data, _) in contents.items():
        put(s3, PREFIX + name, data)
    put(s3, MANIFEST, manifest([(name, len(data), count) for name, (data, count) in contents.items()]))


def small(s3):
    """One object of some ranges at the smallest memory, and small ones."""
    large = HEADER + rows(1, 130000)
    assert len(large) > 3 * MIB
    deliver(s3, {"a b.csv": (large, 130000), "ü.csv": (HEADER + rows(5, 3), 3),
                 "c.csv.gz": (gzip.compress(HEADER + rows(9, 1000)), 1000)})
    return sum(len(o) for k, o in s3.objects().items() if k != MANIFEST)


def verify(t, s3, *flags, env=None, url=f"s3://{BUCKET}/{MANIFEST}", during=None):
    return t.command(["verify", url, "--threads", "2", "--memory-limit", "60MiB", *flags],
                     env or t.environment(s3), during)


@case("verify-good")
def good(t):
    s3 = t.server()
    size = small(s3)
    run = verify(t, s3)
    t.status(run, 0)
    t.check(run.out == f"verified: 3 files, 131003 rows, {size} bytes\n", f"it says {run.out!r}")
    gets = s3.ops("get", key=PREFIX + "a b.csv")
    t.check(len(gets) >= 3 and all("range" in g["headers"] and "if-match" in g["headers"] for g in gets),
            f"ranges with If-Match: {gets!r}")
    t.check({e["op"] for e in s3.log} == {"head", "get"}, "verify asked for something else than HEAD and GET")
    t.sound(s3)


@case("verify-faults-that-pass", seconds=5)
def faults(t):
    for op, act, arg, count in (("get", "error", "SlowDown", 3), ("get", "error", "InternalError", 2),
                                ("get", "trunc", None, 2), ("get", "rst", 0, 2), ("get", "drop", None, 1),
                                ("head", "error", "SlowDown", 2), ("head", "drop", None, 1),
                                ("get", "error", "RequestTimeTooSkewed", 0)):
        s3 = t.server()
        size = small(s3)
        s3.rule(op, act, arg, count=count, from_=2)
        run = verify(t, s3)
        t.status(run, 0)
        t.check(run.out == f"verified: 3 files, 131003 rows, {size} bytes\n", f"{op} {act}: it says {run.out!r}")
        t.check(s3.hits() == count, f"{op} {act}: {s3.hits()} hits")


@case("verify-changed")
def changed(t):
    """Another object takes the place of one that is read."""
    s3 = t.server()
    small(s3)

    def replace(entry):
        if entry["op"] == "get" and entry["key"].endswith("a b.csv") and len(s3.ops("get", key=entry["key"])) == 3:
            put(s3, entry["key"], HEADER + rows(2, 130000))

    s3.on_request = replace
    run = verify(t, s3)
    t.status(run, 74)
    t.check("a b.csv: changed while it was read" in run.out, f"it says {run.out!r}")
    s3 = t.server()
    small(s3)
    s3.rule("head", "etag", key="ü.csv")  # HEAD tells of another object than GET
    run = verify(t, s3)
    t.status(run, 74)
    t.check("ü.csv: changed while it was read" in run.out, f"it says {run.out!r}")


@case("verify-wrong-delivery")
def wrong(t):
    s3 = t.server()
    small(s3)
    put(s3, PREFIX + "ü.csv", b"CustomerID,Mail\n" + rows(5, 2))
    put(s3, PREFIX + "c.csv.gz", gzip.compress(HEADER + rows(9, 1000))[:-9])
    del s3.buckets[BUCKET].objects[PREFIX + "a b.csv"]
    run = verify(t, s3)
    t.status(run, 74)
    for text in ("a b.csv: missing: ", "ü.csv: size: expected", "ü.csv: rows: expected 3, found 2",
                 "c.csv.gz: can't be read to its end: the gzip member that begins at byte 0 is cut off",
                 "c.csv.gz: header: expected that of CustomerData/ü.csv", "not verified: 3 files, "):
        t.check(text in run.out, f"no {text!r} in {run.out!r}")
    t.check(run.err == "", f"standard error: {run.err!r}")


@case("verify-refused")
def refused(t):
    s3 = t.server()
    run = verify(t, s3)
    t.status(run, 66)
    t.says(run, "m.xml", "NoSuchKey")
    run = verify(t, s3, url="s3://no-such-bucket/m.xml", env=t.environment(s3, AWS_REGION=None))
    t.status(run, 66)
    for denied in ("get", "head"):
        s3 = t.server(keys={ACCESS: Key(SECRET, deny={denied})})
        small(s3)
        run = verify(t, s3)
        t.status(run, 77)
        t.says(run, "s3:GetObject")
        t.check(run.out == "", f"standard output: {run.out!r}")
    s3 = t.server()
    small(s3)
    run = verify(t, s3, env=t.environment(s3, (ACCESS, "wrong-secret/0123456789")))
    t.status(run, 77)
    run = verify(t, None, env=t.environment("http://nobody.invalid"))
    t.status(run, 75)
    s3 = t.server(tls=t.certificate())
    small(s3)
    run = verify(t, s3)
    t.status(run, 74)
    t.says(run, "AWS_CA_BUNDLE")


@case("verify-not-a-manifest")
def not_a_manifest(t):
    s3 = t.server()
    put(s3, MANIFEST, b"a,b\n1,2\n")
    run = verify(t, s3)
    t.status(run, 74)
    t.check("is no manifest of a Pega data job" in run.out and run.out.endswith("not verified: 1 thing is wrong\n"),
            f"it says {run.out!r}")


@case("verify-report")
def report(t):
    """What an export delivered, manifest and token too, against its own report; then with one byte of one object
    changed, with a file the report does not have, and with a manifest that no run of the report wrote."""
    for kind in ("crc64nvme", "crc32c"):
        s3 = t.server()
        run = t.export(s3, "tiny", destination={"checksum": kind}, extra='pega: { manifest: "acme.xml" }\n')
        t.status(run, 0)
        names = [f["url"].rsplit("/", 1)[1] for f in run.report["files"] if f["kind"] == "data"]
        t.check(PREFIX + "acme.xml.TOK" in s3.objects(), f"no token: {sorted(s3.objects())}")
        path, url = os.path.join(t.folder, "report.json"), f"s3://{BUCKET}/{PREFIX}acme.xml"
        run = verify(t, s3, "--report", path, url=url)
        t.status(run, 0)
        key = PREFIX + names[0]
        data = s3.objects()[key]
        put(s3, key, data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        run = verify(t, s3, "--report", path, url=url)
        t.status(run, 74)
        text = f"{names[0]}: {kind}: expected {checksums.text(kind, data)}, found "
        t.check(text in run.out, f"no {text!r} in {run.out!r}")
        put(s3, MANIFEST, s3.objects()[PREFIX + "acme.xml"])
        run = verify(t, s3, "--report", path)
        t.status(run, 74)
        t.check("m.xml: report: expected this manifest in it, found none" in run.out, f"it says {run.out!r}")
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
        said["files"] = [f for f in said["files"] if not f["url"].endswith(names[0])]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(said, file)
        run = verify(t, s3, "--report", path, url=url)
        t.check("report: expected this file in it, found none" in run.out, f"it says {run.out!r}")


@case("verify-place-of-the-job")
def place_of_the_job(t):
    """Endpoint, region and addressing of the job; no variable says them."""
    s3 = t.server()
    small(s3)
    job = t.give("job.yaml", "name: t\nidentity: { column: CustomerID, paths: [ id ] }\n"
                 f"destination: {{ url: s3://elsewhere/, endpoint: '{s3.url}', region: eu-central-1, addressing: path "
                 "}\naccount_id: '111122223333'\n")
    run = verify(t, s3, "-j", job, env=t.environment(None, AWS_REGION=None))
    t.status(run, 0)
    t.check(all(e["headers"].get("x-amz-expected-bucket-owner") == "111122223333" for e in s3.log), "the owner")


@case("verify-stopped")
def stopped(t):
    s3 = t.server()
    small(s3)
    s3.rule("get", "mute", 600, key="a b", count=100)
    run = verify(t, s3, during=send_signal_when(s3, "get", SIGINT, count=2))
    t.status(run, 130)
    t.check(run.out == "", t.show(run))
    t.stopped(run, 20)
