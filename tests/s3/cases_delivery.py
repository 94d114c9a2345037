"""Deliveries that go well: bytes, report, checksums, options, addressing, TLS, proxies, memory and connections."""
import gzip
import re
import socket
import subprocess
import threading

import checksums
from scripted_model import Bucket, Key
from s3_case import ACCESS, BUCKET, MIB, SECRET, case, job_text

PARTS = ["--part-size", "5MiB"]
SMALL_RECORDS = "source: { max_record: 1MiB }\n"  # the least memory grows with the largest record


@case("delivery-one-file")
def one_file(t):
    s3 = t.server()
    run = t.export(s3)
    t.delivered(run, s3)
    t.report_is_right(run, "tiny")
    t.check(not s3.ops("create"), "a small file needs no multipart upload")
    t.check(all(e.get("payload") == "signed" for e in s3.log), "over plain HTTP the payload is signed")
    put = s3.ops("put")[0]
    t.check("x-amz-checksum-crc64nvme" in put["headers"], "the put has no checksum")
    t.check(put["headers"].get("if-none-match") == "*", "the put has no If-None-Match")
    t.check(put["headers"].get("content-type", "").startswith("text/csv"), "content type of a CSV")
    t.check("expect" not in put["headers"], "Expect: 100-continue costs a round trip")
    t.check(run.out == "", f"standard output: {run.out[:200]!r}")


@case("delivery-many-files")
def many_files(t):
    s3 = t.server()
    run = t.export(s3, "small")
    t.delivered(run, s3, "small")
    t.report_is_right(run, "small")


@case("delivery-multipart", seconds=2)
def multipart(t):
    s3 = t.server()
    run = t.export(s3, "mixed", flags=PARTS)
    t.delivered(run, s3, "mixed")
    t.report_is_right(run, "mixed")
    keys = sorted(s3.objects())
    sizes = [len(d) for d in t.inputs.expected("mixed").values()]
    t.check(sizes[0] > 10 * MIB and sizes[1] > MIB > sizes[2], f"the input is not what this case is about: {sizes}")
    first = s3.buckets[BUCKET].objects[keys[0]]
    t.check(first.parts == 3, f"the first file has {first.parts} parts of 5 MiB")
    t.check(first.kind == "crc64nvme" and first.form == "FULL_OBJECT", f"its checksum: {first.kind}")
    t.check([e["bytes"] for e in s3.ops("part", key=keys[0], part=1)] == [5 * MIB], "the first part is not of 5 MiB")
    t.check(not s3.ops("put", key=keys[0]) and s3.ops("put", key=keys[2]), "the last is small enough for one put")
    for entry in s3.ops("create"):
        t.check(entry["headers"].get("x-amz-checksum-algorithm") == "CRC64NVME", "create names no algorithm")
    for entry in s3.ops("part"):
        t.check("x-amz-checksum-crc64nvme" in entry["headers"], "a part without a checksum")
    for entry in s3.ops("complete"):
        for header in ("x-amz-checksum-crc64nvme", "x-amz-mp-object-size", "if-none-match"):
            t.check(header in entry["headers"], f"complete has no {header}")
    last_part = max(i for i, e in enumerate(s3.log) if e["op"] == "part")
    first_commit = min(i for i, e in enumerate(s3.log) if e["op"] in ("complete", "put"))
    t.check(last_part < first_commit, "an object was completed before all parts were there")
    heads = [i for i, e in enumerate(s3.log) if e["op"] == "head"]
    t.check(sum(1 for i in heads if i > first_commit) >= 3, "not every object was looked at after it was completed")
    for stored in s3.buckets[BUCKET].objects.values():
        named = {n for n in stored.kept if n.startswith("x-amz-meta-")}
        t.check(any("run" in n for n in named) and any("token" in n for n in named), f"metadata: {sorted(named)}")
        t.check("0123456789abcdef" in stored.kept.values(), "the run's id is not in the metadata")


def with_compression(kind, suffix, unpack):
    @case(f"delivery-{kind}", seconds=4)
    def compressed(t):
        """Objects are what was compressed, in parts too, and more of it than the memory holds."""
        for name, flags in [("mixed", PARTS), ("hex", PARTS + ["--memory-limit", "80MiB", "--connections", "2"])]:
            s3 = t.server()
            run = t.export(s3, name, flags=flags, extra=SMALL_RECORDS, files=f", compression: {kind}")
            if not t.status(run, 0):
                continue
            t.sound(s3)
            want = {key + suffix: data for key, data in t.expected_objects(name).items()}
            have = s3.objects()
            t.same({key: unpack(data) for key, data in have.items()}, want)
            for entry in run.report["files"]:
                data = have.get(entry["url"].split("/", 3)[3], b"")
                t.check(entry["bytes"] == len(data) and entry["crc64nvme"] == checksums.text("crc64nvme", data),
                        f"the report's {entry['url']}: {entry}")
            for stored in s3.buckets[BUCKET].objects.values():
                t.check(stored.kept.get("content-type") == f"application/{kind}", f"content type: {stored.kept}")
                t.check("content-encoding" not in stored.kept, "a Content-Encoding would be undone by clients")
            t.check(not s3.uploads(), "unfinished uploads")


def unzstd(data):
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


with_compression("gzip", ".gz", gzip.decompress)
with_compression("zstd", ".zst", unzstd)


@case("delivery-overlaps-conversion", seconds=4)
def overlaps(t):
    """Parts go out while rows are still converted: more input than the memory holds."""
    s3 = t.server()
    run = t.export(s3, "wide", flags=PARTS + ["--memory-limit", "80MiB", "--connections", "2"], extra=SMALL_RECORDS)
    t.delivered(run, s3, "wide")


@case("delivery-threads", seconds=3)
def threads(t):
    for count in ("1", "2", "5"):
        s3 = t.server()
        t.delivered(t.export(s3, "mixed", flags=PARTS + ["--threads", count]), s3, "mixed")


@case("delivery-connections", seconds=6)
def connections(t):
    for count in (1, 2, 4, 16):
        s3 = t.server()
        s3.rule("part", "meet", min(count, 4), count=12)  # of 14
        t.delivered(t.export(s3, "wide", flags=PARTS + ["--connections", str(count)]), s3, "wide")
        t.check(s3.most_at_once <= count, f"--connections {count}: {s3.most_at_once} requests at once")
        used = len({e["connection"] for e in s3.log})
        t.check(used <= count + 2, f"--connections {count}: {used} connections were made: they are not kept alive")


@case("delivery-default-part-size", seconds=3)
def default_part_size(t):
    s3 = t.server()
    t.delivered(t.export(s3, "wide"), s3, "wide")
    sizes = [e["bytes"] for e in s3.ops("part")]
    t.check(max(sizes) >= 8 * MIB, f"parts of {max(sizes)} bytes: S3's advice is 8 to 16 MiB")


def with_checksum(kind):
    def run(t):
        s3 = t.server()
        out = t.export(s3, "mixed", {"checksum": kind}, PARTS)
        t.delivered(out, s3, "mixed")
        t.report_is_right(out, "mixed", checksum=kind)
        sums = {n for e in s3.log for n in e["headers"] if n.startswith(("x-amz-checksum-c", "x-amz-sdk-checksum"))}
        if kind == "none":
            t.check(not sums, f"checksum: none, but {sorted(sums)} were sent")
            return
        for stored in s3.buckets[BUCKET].objects.values():
            t.check(stored.kind == kind and stored.checksum == checksums.text(kind, stored.data),
                    f"{kind}: stored {stored.kind} {stored.checksum}")
    return run


for _kind in ("crc32c", "crc32", "none"):
    case(f"delivery-checksum-{_kind}", seconds=2)(with_checksum(_kind))


@case("delivery-tls", seconds=2)
def tls(t):
    certificate = t.certificate()
    s3 = t.server(tls=certificate)
    run = t.export(s3, "mixed", flags=PARTS, env=t.environment(s3, AWS_CA_BUNDLE=certificate[0]))
    t.delivered(run, s3, "mixed")
    t.check(all(e.get("payload") == "unsigned" for e in s3.ops("part")), "over TLS the payload need not be hashed")


@case("delivery-virtual-addressing")
def virtual(t):
    s3 = t.server()
    endpoint = f"http://localhost:{s3.port}"  # libcurl takes every name under localhost for the loopback
    run = t.export(None, destination={"endpoint": endpoint, "addressing": "virtual", "region": "eu-central-1"},
                   env=t.environment(AWS_REGION=None))
    t.delivered(run, s3)
    hosts = {e["headers"]["host"] for e in s3.log}
    t.check(hosts == {f"{BUCKET}.localhost:{s3.port}"}, f"hosts: {hosts}")


@case("delivery-path-addressing")
def path(t):
    s3 = t.server()
    for addressing in ("path", "auto"):
        s3.buckets[BUCKET] = Bucket()
        run = t.export(None, destination={"endpoint": s3.url, "addressing": addressing}, env=t.environment())
        t.delivered(run, s3)
        hosts = {e["headers"]["host"] for e in s3.log}
        t.check(hosts == {f"127.0.0.1:{s3.port}"}, f"{addressing}: hosts: {hosts}")


@case("delivery-url-forms")
def urls(t):
    for url, prefix in ((f"s3://{BUCKET}", ""), (f"s3://{BUCKET}/", ""), (f"s3://{BUCKET}/a/b", "a/b/"),
                        (f"S3://{BUCKET}/a/b/", "a/b/"), (f"s3://{BUCKET}/a%20b/+/", "a%20b/+/")):
        s3 = t.server()
        run = t.export(s3, url=url)
        t.status(run, 0)
        t.sound(s3)
        t.same(s3.objects(), t.expected_objects("tiny", prefix))
    s3 = t.server()
    run = t.export(s3, destination={"url": f"s3://{BUCKET}/from-job/"}, url=None)
    t.status(run, 0)
    t.same(s3.objects(), t.expected_objects("tiny", "from-job/"))


@case("delivery-endpoint-places")
def endpoints(t):
    """Endpoint and region: job, environment, profile, in this order."""
    wrong = "http://127.0.0.1:9"
    for label, destination, more in (
            ("AWS_ENDPOINT_URL_S3", None, {"AWS_ENDPOINT_URL": wrong}),
            ("AWS_ENDPOINT_URL", None, {"AWS_ENDPOINT_URL_S3": None, "AWS_ENDPOINT_URL": "server"}),
            ("the job's", "server", {"AWS_ENDPOINT_URL_S3": wrong}),
            ("AWS_DEFAULT_REGION", None, {"AWS_REGION": None, "AWS_DEFAULT_REGION": "eu-central-1"}),
            ("the profile's", None, {"AWS_ENDPOINT_URL_S3": None, "AWS_REGION": None, "AWS_CONFIG_FILE": "config"})):
        s3 = t.server()
        more = {k: s3.url if v == "server" else v for k, v in more.items()}
        if more.get("AWS_CONFIG_FILE"):
            more["AWS_CONFIG_FILE"] = t.give("config", f"[default]\nregion = eu-central-1\nendpoint_url = {s3.url}\n")
        run = t.export(s3, destination={"endpoint": s3.url} if destination else None, env=t.environment(s3, **more))
        if run.status != 0:
            t.fail(f"{label}: {t.show(run)}")


@case("delivery-options", seconds=2)
def options(t):
    s3 = t.server()
    destination = {"sse": "aws:kms", "kms_key_id": "arn:aws:kms:eu-central-1:111122223333:key/1234",
                   "storage_class": "STANDARD_IA", "acl": "bucket-owner-full-control",
                   "tags": {"team": "data & more", "cost centre": "ü/7"}}
    run = t.export(s3, "mixed", destination, PARTS, extra='account_id: "111122223333"\n')
    t.delivered(run, s3, "mixed")
    for key, stored in s3.buckets[BUCKET].objects.items():
        kept = stored.kept
        t.check(kept.get("x-amz-server-side-encryption") == "aws:kms", f"{key}: sse")
        t.check(kept.get("x-amz-server-side-encryption-aws-kms-key-id") == destination["kms_key_id"], f"{key}: kms key")
        t.check(kept.get("x-amz-storage-class") == "STANDARD_IA", f"{key}: class")
        t.check(kept.get("x-amz-acl") == "bucket-owner-full-control", f"{key}: acl")
        t.check(sorted(kept.get("x-amz-tagging", "").split("&")) ==
                ["cost%20centre=%C3%BC%2F7", "team=data%20%26%20more"], f"{key}: tags {kept.get('x-amz-tagging')}")
    for entry in s3.log:
        if entry["op"] != "other":
            t.check(entry["headers"].get("x-amz-expected-bucket-owner") == "111122223333",
                    f"{entry['op']} does not say whose bucket it is")
    for entry in s3.ops("part"):
        t.check("x-amz-server-side-encryption" not in entry["headers"], "sse belongs to create, not to parts")
    for sse in ("AES256", "aws:kms:dsse"):
        s3 = t.server()
        t.delivered(t.export(s3, destination={"sse": sse}), s3)
        t.check({o.kept.get("x-amz-server-side-encryption") for o in s3.buckets[BUCKET].objects.values()} == {sse}, sse)


@case("delivery-replace", seconds=2)
def replace(t):
    s3 = t.server()
    client_bucket = s3.buckets[BUCKET]
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
    before = {k: o.modified for k, o in client_bucket.objects.items()}
    t.delivered(t.export(s3, "mixed", {"if_exists": "replace"}, PARTS), s3, "mixed")
    t.check(all(client_bucket.objects[k].modified > m for k, m in before.items()), "nothing was replaced")
    t.check(not any("if-none-match" in e["headers"]
            for e in s3.log[len(s3.log) // 2 + 3:]), "If-None-Match with replace")


@case("delivery-nothing-selected")
def empty(t):
    """An input without records is status 65; nothing is asked for that leaves a trace."""
    s3 = t.server()
    t.inputs.expected("tiny")
    path = t.give("empty.ndjson", "\n\n")
    run = t.command(["export", path, "--id", "identityMap.CustomerID", "--to", f"s3://{BUCKET}/p/"], t.environment(s3))
    t.status(run, 65)
    t.check(not s3.objects() and not s3.uploads(), "something was left")


@case("delivery-over-the-budget", seconds=3)
def over_budget(t):
    """A bad record at the end of an input larger than the memory: parts are there already, and are taken back."""
    s3 = t.server()
    t.inputs.expected("wide")
    with open(t.inputs.path("wide"), encoding="utf-8") as dump:
        path = t.give("bad.ndjson", dump.read() + '{"broken\n')
    job = t.give("job.yaml", job_text("wide", None, SMALL_RECORDS))
    run = t.command(["export", "-j", job, path, "--to", f"s3://{BUCKET}/p/", "--memory-limit", "80MiB",
                     "--part-size", "5MiB", "--connections", "2", "--threads", "2"], t.environment(s3))
    t.status(run, 65)
    t.check(s3.ops("part"), "this case is about parts that were sent")
    t.check(not s3.objects() and not s3.uploads(), "something was left")
    t.sound(s3)


@case("delivery-chunked-answers", seconds=2)
def chunked(t):
    s3 = t.server()
    s3.chunked_answers = True
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")


@case("delivery-one-part-quirk", seconds=2)
def one_part_quirk(t):
    """Ceph 20 shows the full-object checksum of an upload of one part as a composite one, with "-1" behind it."""
    s3 = t.server()
    s3.one_part_quirk = True
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
    t.check(any(o.checksum.endswith("-1") for o in s3.buckets[BUCKET].objects.values()), "no upload had one part")


@case("delivery-closing-server", seconds=2)
def closing(t):
    """A server that closes connections after some requests, without saying so: what was never answered goes again."""
    for served in (1, 3):
        s3 = t.server()
        s3.keep_alive = served
        t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")


@case("delivery-memory", seconds=12)
def memory(t):
    """The network is slow: conversion waits, memory stays under its limit (the input is mapped, so it counts in RSS
    until the kernel wants it back)."""
    s3 = t.server()
    s3.rule("part", "slow", 5e6, count=1000)
    run = t.export(s3, "wide", flags=PARTS + ["--memory-limit", "96MiB", "--connections", "4", "--threads", "1"],
                   extra=SMALL_RECORDS)
    t.delivered(run, s3, "wide")
    t.check(s3.most_at_once >= 2, "parts went one after another")


class ConnectProxy:
    """An HTTP proxy that knows CONNECT, and GET-like requests with a whole URL; counts both."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.connects, self.plain = [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        line = head.split(b"\r\n", 1)[0].decode()
        if not line.startswith("CONNECT "):
            self.plain.append(line)
            client.sendall(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            client.close()
            return
        self.connects.append((line.split()[1], head))
        host, port = line.split()[1].rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
        self._pump(client, server)

    @staticmethod
    def _pump(source, target):
        try:
            while True:
                data = source.recv(262144)
                if not data:
                    break
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@case("delivery-proxy", seconds=2)
def proxy(t):
    certificate = t.certificate()
    s3, tunnel = t.server(tls=certificate), t.with_(ConnectProxy())
    more = {"AWS_CA_BUNDLE": certificate[0], "HTTPS_PROXY": tunnel.url}
    t.delivered(t.export(s3, env=t.environment(s3, **more)), s3)
    t.check(tunnel.connects, "HTTPS_PROXY was not used")
    for _, head in tunnel.connects:
        t.check(not re.search(rb"(?im)^(authorization|x-amz-)", head), "the proxy was told what is S3's")
    count = len(tunnel.connects)
    s3.buckets[BUCKET] = Bucket()
    t.delivered(t.export(s3, env=t.environment(s3, NO_PROXY="127.0.0.1,example.org", **more)), s3)
    t.check(len(tunnel.connects) == count, "NO_PROXY was not honoured")


@case("delivery-region-of-bucket")
def region(t):
    """No region anywhere: the bucket says it."""
    s3 = t.server(buckets={BUCKET: Bucket("ap-southeast-2")})
    t.delivered(t.export(s3, env=t.environment(s3, AWS_REGION=None)), s3)
    s3 = t.server(buckets={BUCKET: Bucket("ap-southeast-2")})
    t.delivered(t.export(s3), s3)  # AWS_REGION says eu-central-1
    s3 = t.server(buckets={BUCKET: Bucket("ap-southeast-2")})
    t.delivered(t.export(s3, "mixed", {"region": "us-west-2"}, PARTS), s3, "mixed")


@case("delivery-clock", seconds=2)
def clock(t):
    """Our clock is wrong: the server's Date corrects it."""
    for offset in (3600, -7200, 86400 * 3):
        s3 = t.server()
        s3.clock_offset = offset
        t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
        skewed = [e for e in s3.log if e.get("refused") == "RequestTimeTooSkewed"]
        t.check(len(skewed) <= 4, f"{len(skewed)} requests with the wrong time")


@case("delivery-two-at-once", seconds=2)
def two_at_once(t):
    """Two deliveries of the same names: exactly one wins, and its objects are whole."""
    s3 = t.server()
    s3.rule("complete", "delay", 0.3, count=10)
    t.inputs.expected("mixed")
    outcomes = []

    def other():
        outcomes.append(t.command(["export",
                                   t.inputs.path("mixed"),
                                   "--id",
                                   "identityMap.CustomerID",
                                   "--column",
                                   "Note=note",
                                   "--to",
                                   f"s3://{BUCKET}/race/",
                                   "--run-time",
                                   "2026-11-22T03:00:00Z",
                                   *PARTS],
                                  t.environment(s3)))

    runners = [threading.Thread(target=other) for _ in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    t.check(sorted(o.status for o in outcomes) == [0, 73], f"statuses {[o.status for o in outcomes]}: "
            + " / ".join(t.show(o) for o in outcomes))
    t.check(not s3.uploads(), "unfinished uploads")
    t.sound(s3)


@case("delivery-hedge", seconds=6)
def hedge(t):
    """One part of many is answered late: it is sent once more, and the run does not wait for the first."""
    s3 = t.server()
    s3.rule("part", "delay", 3600, part=13)  # far more than a run may take here
    run = t.export(s3, "wide", flags=PARTS + ["--connections", "4"])
    t.delivered(run, s3, "wide")
    t.check(len(s3.ops("part", part=13)) >= 2, "the late part was not sent a second time")


@case("delivery-shared-files-keys")
def other_keys(t):
    """Keys in the credentials file; the environment has none."""
    s3 = t.server()
    path_of_file = t.give("credentials", f"[default]\naws_access_key_id={ACCESS}\naws_secret_access_key = {SECRET}\n")
    t.delivered(t.export(s3, env=t.environment(s3, keys=None, AWS_SHARED_CREDENTIALS_FILE=path_of_file)), s3)


@case("delivery-session-token")
def session(t):
    token = "session/token+with==signs" * 20
    s3 = t.server(keys={ACCESS: Key(SECRET, token)})
    t.delivered(t.export(s3, env=t.environment(s3, (ACCESS, SECRET, token))), s3)


@case("delivery-slow-server", seconds=8)
def slow_server(t):
    """Bodies that are taken slowly, over one connection and over four."""
    for count in (1, 4):
        s3 = t.server()
        s3.rule("part", "slow", 40e6, count=1000)
        t.delivered(t.export(s3, "wide", flags=PARTS + ["--connections", str(count)]), s3, "wide")
        t.check(s3.most_at_once <= count, f"--connections {count}: {s3.most_at_once} requests at once")
