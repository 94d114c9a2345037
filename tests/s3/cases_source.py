"""Sources on S3: prefixes, keys, globs and manifests, plain and packed, read as the same files of a directory are, over
faults that pass, and what is said of those that don't."""
import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import time

import checksums
from cases_real import Real
from scripted_model import MIB, Key, Stored
from s3_case import ACCESS, BUCKET, PREFIX, RUN, SECRET, SIGINT, case, send_signal_when

IN = "in/Export 1/ü+/"  # a blank, UTF-8 and a plus sign: all are signed, and encoded in lists
URL = f"s3://{BUCKET}/{IN}"
JOB = """name: acme
files: { name: "{name}_{part}.csv" }
identity: { column: CustomerID, paths: [ identityMap.CustomerID ] }
columns: [ { name: Note, path: note } ]
source: { max_record: 1MiB }
"""
CORRUPT = JOB.replace("1MiB", "1MiB, on_corrupt: skip_rest")
PLAIN_JOB = JOB + "destination: { checksum: none }\n"  # Ceph 16 knows no x-amz-checksum
SMALL = ["--memory-limit", "64MiB"]  # ranges of 256 KiB
READS = {"list_objects", "head", "get"}


def put(s3, key, data, kind=None, text=None, bucket=BUCKET):
    """`text`: of the checksum; the right one when there is only a kind."""
    if kind and text is None:
        text = checksums.text(kind, data)
    s3.buckets[bucket].objects[key] = Stored(data, '"' + hashlib.md5(data).hexdigest() + '"', {}, text, kind)


def records(first, count, note=60):
    return [json.dumps({"identityMap": {"CustomerID": [{"id": f"C{i:07d}", "primary": True}]},
                        "note": (f"{i} é, \"" * 80)[:note]}, ensure_ascii=False) for i in range(first, first + count)]


def lines(first, count, note=60):
    return ("\n".join(records(first, count, note)) + "\n").encode()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def frames(parts):
    return b"".join(map(zstd, parts))


def long_records():
    """Each is longer than the head that is looked at first: one behind the other."""
    return ((record[:-1] + ', "z": "' + "x" * 100000 + '"}').encode() for record in records(70001, 3))


def dump():
    """name -> bytes: more than three ranges of the least memory's size, and all else that a folder holds."""
    return {"part-1.json": lines(1, 12000), "part-2.json.gz": gzip.compress(lines(20001, 9000)),
            "part-3.json": b"\xef\xbb\xbf[" + ",\n".join(records(30001, 6000)).encode() + b"]\n",
            "deep/er/part-4": zstd(lines(40001, 5000)), "part-5.json": lines(50001, 1).rstrip(b"\n"),
            "a&b <1>.json": lines(60001, 40), "empty.json": b"",
            "long.json": b"".join(long_records()), "long.json.gz": gzip.compress(b"".join(long_records()))}


LEFT_OUT = {"_SUCCESS": b"", "part-1.json.crc": b"crc", ".hidden/x.json": b"{", "deep/_temporary/0/y.json": b"{",
            "": b"", "deep/": b""}


def local_folder(t, files, name="local"):
    folder = os.path.join(t.folder, name)
    for file, data in files.items():
        path = os.path.join(folder, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)
    return folder


def export(t, s3, sources, flags=(), job=JOB, env=None, to="out", during=None, command="export"):
    """The outcome, its files in `delivered`."""
    path, report, out = (os.path.join(t.folder, name) for name in ("job.yaml", "report.json", to))
    with open(path, "w", encoding="utf-8") as text:
        text.write(job)
    url = to if to.startswith("s3://") or to == "null:" else out
    run = t.command([command, "-j", path, *sources, *RUN, "--to", url, "--report", report, *flags],
                    env or t.environment(s3), during)
    run.delivered = {}
    if os.path.isdir(out):
        for name in sorted(os.listdir(out)):
            with open(os.path.join(out, name), "rb") as data:
                run.delivered[name] = data.read()
        shutil.rmtree(out)
    if os.path.exists(report):
        with open(report, encoding="utf-8") as text:
            run.report = json.load(text)
        os.remove(report)
    return run


def fill(s3, files, **more):
    for name, data in files.items():
        put(s3, IN + name, data, **more)


def as_local(t, run, want, files):
    """The bytes and counts that the same files of a directory give."""
    if not t.status(run, 0):
        return
    t.check(run.delivered == want, f"other files than from a directory: {({k: len(v) for k, v in run.delivered.items()})}")
    metrics = run.report["metrics"]
    t.check(metrics["fileSummary"]["inputFileCount"] == len(files), f"the report's files: {metrics['fileSummary']}")
    size = sum(len(data) for data in files.values())
    t.check(metrics["sizeSummary"]["inputBytes"] == size, f"the report's bytes: {metrics['sizeSummary']}, not {size}")


def from_directory(t, files, flags=(), job=JOB):
    run = export(t, None, [local_folder(t, files) + "/"], flags, job, t.environment())
    t.status(run, 0)
    return run.delivered


@case("source-good", seconds=4)
def good(t):
    files = dump()
    want = from_directory(t, files)
    for kind in (None, "crc64nvme", "crc32c", "crc32"):
        s3 = t.server()
        fill(s3, files | LEFT_OUT, kind=kind)
        put(s3, "in/Export 1/other.json", lines(1, 5))
        s3.page = 3
        for flags in (["--threads", "1"], ["--threads", "4", "--connections", "3"],
                      ["--threads", "2", *SMALL, "--shard-size", "64KiB"]):
            as_local(t, export(t, s3, [URL], flags), want, files)
        as_local(t, export(t, s3, [f"s3://{BUCKET}/in/Export 1/ü+"]), want, files)
        gets = s3.ops("get")
        t.check(all("if-match" in g["headers"] for g in gets), "a GET without If-Match")
        t.check(len({g["headers"].get("range") for g in gets if g["key"].endswith("part-1.json")}) > 3, "no ranges")
        t.check({e["op"] for e in s3.log} == READS, f"asked for {({e['op'] for e in s3.log})}")
        t.sound(s3)


@case("source-names")
def names(t):
    """Keys, globs and several of each; what is named twice is read once."""
    s3 = t.server(buckets=(BUCKET, "other-bucket"))
    files = {"a/x1.json": lines(1, 3), "a/x2.json": lines(4, 3), "a/y.json.gz": gzip.compress(lines(7, 3)),
             "b/x1.json": lines(10, 3), "b/sub/x9.json": lines(13, 3), "b/[1].json": lines(16, 3), "c/_x.json": b"{"}
    for name, data in files.items():
        put(s3, name, data)
    put(s3, "z.json", lines(19, 3), bucket="other-bucket")
    here = f"s3://{BUCKET}/"
    for sources, wanted in (([here + "a/x1.json", here + "a/x1.json"], ["a/x1.json"]),
                            ([here + "*/x1.json"], ["a/x1.json", "b/x1.json"]),
                            ([here + "a/x?.json", here + "a/"], ["a/x1.json", "a/x2.json", "a/y.json.gz"]),
                            ([here + "a/*.json.gz"], ["a/y.json.gz"]),
                            ([here + "b/[1].json"], ["b/[1].json"]),
                            ([here + "b*"], ["b/[1].json", "b/sub/x9.json", "b/x1.json"]),
                            ([here + "*/*/"], ["b/sub/x9.json"]),
                            (["s3://other-bucket/", here + "b/x[0-9].json"], ["b/x1.json", "z.json"]),
                            (["S3://other-bucket/z.json"], ["z.json"])):
        run = export(t, s3, sources)
        if t.status(run, 0):
            rows = sorted(run.delivered["acme_0001.csv"].splitlines()[1:])
            want = sorted(line for name in wanted for line in rows_of(files.get(name, lines(19, 3))))
            t.check(rows == want, f"{sources}: {len(rows)} rows, not those of {wanted}")
    for source in (here + "*/none*", here + "c/", here + "c/*.json", here + "none", here + "none/"):
        run = export(t, s3, [source])
        t.status(run, 66)
        t.says(run, "none" if "none" in source else "c/")
    t.sound(s3)


def rows_of(data):
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return [(r["identityMap"]["CustomerID"][0]["id"] + ',"' + r["note"].replace('"', '""') + '"').encode()
            for r in map(json.loads, data.splitlines())]


@case("source-faults-that-pass", seconds=8)
def faults(t):
    files = {name: data for name, data in dump().items() if len(data) > 60000}
    want = from_directory(t, files)
    for op, act, arg, count in (("get", "error", "SlowDown", 3), ("get", "error", "InternalError", 2),
                                ("get", "trunc", None, 3), ("get", "rst", 0, 2), ("get", "drop", None, 2),
                                ("list_objects", "error", "SlowDown", 2), ("list_objects", "trunc", None, 1),
                                ("head", "error", "InternalError", 2), ("get", "redirect", None, 0)):
        s3 = t.server()
        fill(s3, files, kind="crc64nvme")
        s3.page = 2
        s3.rule(op, act, arg, count=count, from_=2 if op != "head" else 1)
        run = export(t, s3, [URL], SMALL)
        as_local(t, run, want, files)
        t.check(s3.hits() == count, f"{op} {act}: {s3.hits()} hits")
        if act == "error":
            t.check(run.report["performance"]["retries"] >= count, f"{op} {act}: {run.report['performance']}")


@case("source-changed", seconds=2)
def changed(t):
    """Another object takes the place of one while it is read: after it was listed, and in its midst."""
    old, new = lines(1, 1000, 220) * 40, lines(2, 1000, 220) * 40
    for name in ("part-1.json", "part-2.json.gz", "part-3.json.zst"):
        for after in (1, 3):
            s3 = t.server()
            data = old
            data = gzip.compress(data, 0) if name.endswith(".gz") else data
            data = frames([random_lines(1, 4000)] * 30) if name.endswith(".zst") else data
            put(s3, IN + name, data)

            def replace(entry, s3=s3, name=name, after=after):
                if entry["op"] == "get" and len(s3.ops("get")) == after:
                    put(s3, entry["key"], new)

            s3.on_request = replace
            run = export(t, s3, [URL + name], SMALL)
            t.status(run, 74)
            t.says(run, name + ": changed while it was read")
            t.check(not run.delivered, "something was delivered")
            t.check(run.report["metrics"]["statusSummary"]["status"] == "failed", "the report's status")
    s3 = t.server()
    put(s3, IN + "a.json", lines(1, 12000))
    s3.on_request = lambda entry: entry["op"] == "get" and len(s3.ops("get")) == 2 and s3.objects() and \
        s3.buckets[BUCKET].objects.clear()
    run = export(t, s3, [URL], SMALL)
    t.status(run, 74)
    t.says(run, "a.json: changed while it was read")


@case("source-checksums", seconds=2)
def wrong_sums(t):
    """Bytes that are not those of the store's checksum: of one range, of several, of a stream."""
    files = {"one.json": lines(1, 30), "many.json": lines(1, 12000), "packed.json.gz": gzip.compress(lines(1, 9000), 0)}
    for name, data in files.items():
        for kind in ("crc64nvme", "crc32c", "crc32"):
            s3 = t.server()
            put(s3, IN + name, data, kind, checksums.text(kind, data + b"x"))
            run = export(t, s3, [URL], SMALL)
            t.status(run, 74)
            t.says(run, f"{name}: the bytes that came are not those whose {kind} the store keeps")
            t.check(not run.delivered, "something was delivered")
        s3 = t.server()
        put(s3, IN + name, data, "crc32c", checksums.text("crc32c", data + b"x"))
        s3.buckets[BUCKET].objects[IN + name].form = "COMPOSITE"  # of the parts' checksums: says nothing of the bytes
        t.status(export(t, s3, [URL]), 0)


@case("source-refused", seconds=2)
def refused(t):
    for denied in ("get", "list_objects"):
        s3 = t.server(keys={ACCESS: Key(SECRET, deny={denied})})
        fill(s3, {"a.json": lines(1, 3)})
        run = export(t, s3, [URL])
        t.status(run, 77)
        t.says(run, "s3:GetObject" if denied == "get" else "s3:ListBucket")
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"head"})})
    fill(s3, {"a.json": lines(1, 3)})
    t.status(export(t, s3, [URL + "a.json"]), 77)
    t.status(export(t, s3, [URL]), 0)
    run = export(t, s3, ["s3://no-such-bucket/x/"])
    t.status(run, 66)
    t.says(run, "no bucket no-such-bucket")
    t.status(export(t, s3, [URL], env=t.environment(s3, (ACCESS, "wrong-secret/0123456789"))), 77)
    t.status(export(t, None, [URL], env=t.environment("http://nobody.invalid")), 75)
    t.status(export(t, s3, ["s3://Bad_Bucket/x"]), 2)
    t.status(export(t, s3, [URL], ["--connections", "1"], to=f"s3://{BUCKET}/out/"), 2)


@case("source-forms")
def forms(t):
    """What is refused by name, and damage."""
    good_lines = lines(1, 2000)
    for name, data, words in (("u.json", '{"a":1}\n'.encode("utf-16"), "UTF-16"), ("p", b"PAR1" + bytes(40), "Parquet"),
                              ("c.csv", b"a,b\n1,2\n3,4\n", "CSV"),
                              ("h.json.gz", gzip.compress(b"<!DOCTYPE html><html></html>"), "HTML")):
        s3 = t.server()
        put(s3, IN + name, data)
        run = export(t, s3, [URL])
        t.status(run, 65)
        t.says(run, f"{URL}{name}".replace("+", r"\+"), words)
    s3 = t.server()
    put(s3, IN + "cut.json.gz", gzip.compress(good_lines)[:-20])
    put(s3, IN + "next.json", lines(5001, 10))
    run = export(t, s3, [URL])
    t.status(run, 74)
    t.says(run, "cut.json.gz", "cut off", "skip_rest")
    run = export(t, s3, [URL], ["--max-rejects", "1"], CORRUPT)
    t.status(run, 0)
    t.check(run.report["metrics"]["recordSummary"]["failedByReason"] == {"truncated": 1}, "not one truncated record")
    local = local_folder(t, {"cut.json.gz": gzip.compress(good_lines)[:-20], "next.json": lines(5001, 10)})
    want = export(t, None, [local], ["--max-rejects", "1"], CORRUPT,
                  t.environment())
    t.check(run.delivered == want.delivered, "other rows before the damage than of a file")


def random_lines(first, count):
    """Which don't compress to less than half."""
    def text(i):
        return base64.b64encode(hashlib.sha512(str(i).encode()).digest()).decode()

    return "".join(json.dumps({"identityMap": {"CustomerID": [{"id": f"C{i:07d}"}]}, "note": text(i)}) + "\n"
                   for i in range(first, first + count)).encode()


@case("source-frames", seconds=8)
def many_frames(t):
    """One zstd object of many frames: the same rows, failures and words as of the same file, by any number of threads."""
    parts = [random_lines(1 + 3000 * i, 3000) for i in range(24)]
    whole = frames(parts)
    cut, half = whole[:-30], len(whole) // 2
    flipped = whole[:half] + bytes([whole[half] ^ 0x40]) + whole[half + 1:]
    skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    for name, data, status in (("whole", whole, 0), ("cut", cut, 74), ("flipped", flipped, 74), ("tail", whole + b"x", 74),
                               ("skippable", skippable + whole, 0)):
        name += ".json.zst"
        s3 = t.server()
        put(s3, IN + name, data, "crc64nvme")
        local = local_folder(t, {name: data}, "local " + name)
        for job in (JOB, CORRUPT):
            flags = [] if job == JOB else ["--max-rejects", "2"]
            want = export(t, None, [local], ["--threads", "1", *flags], job, t.environment())
            t.status(want, 0 if job == CORRUPT else status)
            for more in (["--threads", "1"], ["--threads", "2"], ["--threads", "4", "--connections", "3"],
                         ["--threads", "3", "--memory-limit", "110MiB"], ["--threads", "2", *SMALL]):
                run = export(t, s3, [URL + name], [*more, *flags], job)
                t.status(run, want.status)
                t.check(run.delivered == want.delivered, f"{name} {more}: other rows than of a file")
                have, wanted = (r.report["metrics"] for r in (run, want))
                t.check(have["recordSummary"] == wanted["recordSummary"], f"{name} {more}: {have['recordSummary']}")
                if want.status == 0:
                    t.check(have["sizeSummary"] == wanted["sizeSummary"] or job == CORRUPT,
                            f"{name} {more}: {have['sizeSummary']}")
                else:
                    says = want.report["metrics"]["statusSummary"]["errors"][0]["message"]
                    says = says.replace(os.path.join(local, name), URL + name)
                    said = have["statusSummary"]["errors"][0]["message"]
                    t.check(said == says, f"{name} {more}: says {said}, not {says}")
        t.sound(s3)
    for data in (whole, zstd(b"".join(parts))):
        s3 = t.server()
        put(s3, IN + "wrong.zst", data, "crc32c", checksums.text("crc32c", data + b"x"))
        run = export(t, s3, [URL], ["--threads", "3"])
        t.status(run, 74)
        t.says(run, "wrong.zst: the bytes that came are not those whose crc32c the store keeps")


@case("source-trace", seconds=2)
def trace(t):
    """Threads of the download, of frames and of the upload have lines of their own, and the pipeline's sums are its own."""
    data = frames([random_lines(1 + 3000 * i, 3000) for i in range(12)])
    s3 = t.server(buckets=(BUCKET, "in-bucket"))
    put(s3, IN + "a.zst", data, bucket="in-bucket")
    path = os.path.join(t.folder, "trace.json")
    run = export(t, s3, [f"s3://in-bucket/{IN}"], ["--threads", "2"], env=t.environment(s3, PENSTOCK_TRACE=path),
                 to=f"s3://{BUCKET}/{PREFIX}")
    if not t.status(run, 0):
        return
    with open(path, encoding="utf-8") as text:
        told = json.load(text)
    names = {e["tid"]: e["args"]["name"] for e in told["traceEvents"] if e["ph"] == "M"}
    kinds = [name.split()[0] for name in names.values()]
    t.check(kinds.count("decoder") == 2 and kinds.count("worker") == 2 and "upload" in kinds and "download" in kinds,
            f"threads {names}")
    t.check(len(set(names.values())) == len(names), f"two threads of one name: {names}")
    beside = told["otherData"]["beside"]

    def moved(kind, act):
        return sum(acts.get(act, {"bytes": 0})["bytes"] for name, acts in beside.items() if name.startswith(kind))

    for act in ("inflate", "read"):
        t.check(moved("decoder", act) == len(data), f"decoders: {act} of {moved('decoder', act)} of {len(data)} bytes")
    sent = sum(len(data) for data in s3.objects().values())
    t.check(len(data) <= moved("download", "transfer") < len(data) + 2 * MIB, f"{moved('download', 'transfer')} bytes came")
    t.check(sent <= moved("upload", "transfer") < sent + MIB, f"{moved('upload', 'transfer')} bytes of {sent} were sent")
    for tid, name in names.items():
        spans = [e for e in told["traceEvents"] if e["ph"] == "X" and e["tid"] == tid]
        acts = beside.get(name, {})
        for act in acts:
            own = sum(e["args"]["own"] for e in spans if e["name"] == act)
            t.check(abs(own - acts[act]["microseconds"]) < 0.01 * (len(spans) + 1),
                    f"{name}: {act} took {own} in its events")
    stages = run.report["performance"]["stages"]
    for act in ("read", "inflate", "convert"):
        in_trace = told["otherData"]["acts"][act]["microseconds"]
        t.check(abs(stages[act]["busySeconds"] * 1e6 - in_trace) < 2, f"{act}: {in_trace} is not the report's")


@case("source-manifest")
def manifest(t):
    """AEP's manifest names objects below its own folder."""
    files = {"run/one.json": lines(1, 30), "run/two.json.gz": gzip.compress(lines(31, 30)), "three.json": lines(61, 9)}

    def results(sizes):
        return json.dumps({"flowRunId": "1", "exportResults": [
            {"sinkPath": "/bucket/prefix/run", "name": name.split("/")[-1], "size": size} if "/" in name else
            {"name": name, "size": size} for name, size in sizes.items()]}).encode()

    sizes = {name: len(data) for name, data in files.items()}
    s3 = t.server()
    fill(s3, files | {"m.json": results(sizes), "beside.json": lines(900, 5)})
    run = export(t, s3, [URL + "m.json"])
    as_local(t, run, from_directory(t, files), files)
    t.status(export(t, s3, [URL]), 0)
    s3 = t.server()
    fill(s3, files | {"m.json": results(sizes | {"three.json": 5})})
    run = export(t, s3, [URL + "m.json"])
    t.status(run, 66)
    t.says(run, "three.json: has .* bytes, but the manifest .*m.json says 5")
    s3 = t.server()
    fill(s3, {"m.json": results(sizes), "three.json": files["three.json"]})
    run = export(t, s3, [URL + "m.json"])
    t.status(run, 66)
    t.says(run, "one.json: is not there", "m.json")


@case("source-to-s3", seconds=3)
def to_s3(t):
    """From one bucket to another, both of the same store, then verified; the local disk has nothing of it."""
    files = dump()
    want = from_directory(t, files)
    for flags in ([], ["--connections", "2"], ["--memory-limit", "120MiB", "--threads", "3"]):
        s3 = t.server(buckets=(BUCKET, "in-bucket"))
        for name, data in files.items():
            put(s3, IN + name, data, "crc64nvme", bucket="in-bucket")
        before = set(os.listdir(t.folder))
        run = export(t, s3, [f"s3://in-bucket/{IN}"], flags, JOB + "pega: {}\n", to=f"s3://{BUCKET}/{PREFIX}")
        if not t.status(run, 0):
            continue
        t.check(set(os.listdir(t.folder)) <= before | {"job.yaml"}, f"files were left: {os.listdir(t.folder)}")
        have = s3.objects()
        t.check({k: v for k, v in have.items() if k.endswith(".csv")} == {PREFIX + n: d for n, d in want.items()},
                f"other objects than files of a directory: {sorted(have)}")
        xml = next(key for key in have if key.endswith(".xml"))
        verified = t.command(["verify", f"s3://{BUCKET}/{xml}"], t.environment(s3))
        t.status(verified, 0)
        t.sound(s3)
        again = export(t, s3, [f"s3://{BUCKET}/{PREFIX}acme_0001.csv"], to=f"s3://{BUCKET}/{PREFIX}")
        t.status(again, 65)  # a CSV is no dump
    s3 = t.server()
    put(s3, "x/acme_0001.csv", lines(1, 3))  # a dump by a delivery's name
    run = export(t, s3, [f"s3://{BUCKET}/x/"], to=f"s3://{BUCKET}/x/",
                 job=JOB + "destination: { if_exists: replace }\n")
    t.status(run, 78)
    t.says(run, "x/acme_0001.csv: is a source")


@case("source-check-and-inspect", seconds=2)
def check_and_inspect(t):
    files = dump()
    s3 = t.server()
    fill(s3, files)
    local = local_folder(t, files)
    for flags in ([], ["--sample", "100"], ["--sample", "13000"]):
        here = t.command(["inspect", local + "/", "--json", *flags], t.environment())
        there = t.command(["inspect", URL, "--json", *flags], t.environment(s3))
        if t.status(there, 0) and t.status(here, 0):
            have, want = (json.loads(r.out) for r in (there, here))
            have.pop("sources"), want.pop("sources")
            t.check(have == want, f"another catalogue than of a directory with {flags}")
    s3.log.clear()
    run = export(t, s3, [URL + "part-1.json"], ["--sample", "10"], command="check")
    t.status(run, 0)
    t.check("part-1.json" in run.out and "10 records" in run.out.replace("the first ", ""), f"it says {run.out!r}")


@case("source-array-inspected", seconds=3)
def array_inspected(t):
    """Several threads look at each shard twice: its ranges are still there the second time, as long as there is room."""
    data = b"[" + ",\n".join(records(1, 60000, 500)).encode() + b"]"
    s3 = t.server()
    put(s3, IN + "array.json", data)
    local = local_folder(t, {"array.json": data})
    here = t.command(["inspect", local + "/", "--json"], t.environment())
    for flags in ([], ["--memory-limit", "420MiB", "--shard-size", "300KiB"]):
        s3.log.clear()
        there = t.command(["inspect", URL + "array.json", "--json", "--threads", "4", *flags], t.environment(s3))
        if t.status(there, 0) and t.status(here, 0):
            have, want = (json.loads(r.out) for r in (there, here))
            have.pop("sources"), want.pop("sources")
            t.check(have == want, f"another catalogue than of a file with {flags}")
        ranges = [g["headers"].get("range") for g in s3.ops("get")]
        t.check(len(ranges) == len(set(ranges)), f"ranges asked for twice with {flags}: {len(ranges)}, {len(set(ranges))}")


@case("source-stopped", seconds=2)
def stopped(t):
    s3 = t.server()
    fill(s3, {"a.json": lines(1, 12000), "b.json.gz": gzip.compress(lines(1, 9000), 0)})
    s3.rule("get", "stall", 600, count=1000, from_=4)
    run = export(t, s3, [URL], SMALL, during=send_signal_when(s3, "get", SIGINT, 5, 0.2))
    t.status(run, 130)
    t.stopped(run, 15)
    t.check(not run.delivered, "something was delivered")


def watch_peak(peaks):
    """For `during`. (The report's figure begins with what this process had when it made the child.)"""
    def during(process):
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                    peaks.extend(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
            except OSError:
                return
            time.sleep(0.01)
    return during


@case("source-memory", seconds=6)
def memory(t):
    """What is downloaded stays within the limit, however much there is."""
    big = lines(1, 1000, 120) * 320
    assert len(big) > 60 * MIB
    s3 = t.server()
    put(s3, IN + "big.json", big, "crc64nvme")
    put(s3, IN + "big.json.gz", gzip.compress(big, 1))
    for limit, flags in ((64, ["--threads", "2"]), (100, ["--threads", "4"])):
        peaks = []
        run = export(t, s3, [URL], ["--memory-limit", f"{limit}MiB", *flags], to="null:", during=watch_peak(peaks))
        if t.status(run, 0):
            t.check(max(peaks) < limit * MIB, f"{max(peaks) // MIB} MiB of {limit}")
            t.check(run.report["metrics"]["recordSummary"]["deliveredRecordCount"] == 640000, "not all records")
    run = export(t, s3, [URL], ["--memory-limit", "30MiB"], to="null:")
    t.status(run, 2)
    t.says(run, r"the least that works is \d+MiB")


@case("source-rgw", seconds=4, rigs=["rgw"])
def rgw(t):
    """A real server: keys that lists encode, ETags that If-Match is compared with, and from S3 to S3."""
    real = Real(t, "rgw")
    files = dump()
    for name, data in (files | {"_SUCCESS": b"", "x%20y+.json": lines(70001, 3)}).items():
        real.client.put(real.bucket, IN + name, data)
    files["x%20y+.json"] = lines(70001, 3)
    source, env = f"s3://{real.bucket}/{IN}", real.environment()
    want = from_directory(t, files)
    as_local(t, export(t, None, [source], env=env), want, files)
    as_local(t, export(t, None, [source], ["--memory-limit", "80MiB", "--threads", "3"], env=env), want, files)
    run = export(t, None, [source + "*.json*", source + "deep"], [], env=env)
    as_local(t, run, want, files)
    run = export(t, None, [source], ["--connections", "6"], PLAIN_JOB, env, to=f"s3://{real.bucket}/out/")
    t.status(run, 0)
    have = real.client.objects(real.bucket, "out/")
    t.check(have == {"out/" + name: data for name, data in want.items()}, f"other objects: {sorted(have)}")
    for missing in (f"s3://{real.bucket}/none/", f"s3://{real.bucket}/none", "s3://no-such-bucket-here/x/"):
        t.status(export(t, None, [missing], env=env), 66)
