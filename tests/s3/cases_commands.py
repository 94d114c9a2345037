"""penstock check and penstock cleanup with S3."""
import re
import time

from scripted_model import Bucket, Key, Upload
from s3_case import ACCESS, BUCKET, PREFIX, SECRET, case, job_text


def check(t, s3, destination=None, flags=(), env=None, name="mixed"):
    t.inputs.expected(name)
    job = t.give("job.yaml", job_text(name, {"url": f"s3://{BUCKET}/{PREFIX}", **(destination or {})}))
    return t.command(["check", "-j", job, t.inputs.path(name), *flags], env or t.environment(s3))


@case("check-good")
def good(t):
    s3 = t.server()
    run = check(t, s3)
    t.status(run, 0)
    for pattern in (r"part", r"connections", r"memory", r"eu-central-1", re.escape(BUCKET)):
        t.check(re.search(pattern, run.out, re.I), f"the plan has no {pattern!r}: {run.out!r}")
    t.check(s3.ops("create") and s3.ops("abort"), "rights were not proved by an upload that is made and aborted")
    t.check(not s3.objects() and not s3.uploads(), "check left something")
    t.sound(s3)
    run = check(t, s3, flags=["--part-size", "32MiB", "--connections", "7"])
    t.status(run, 0)
    t.check(re.search(r"32(\.0)? ?MiB|33554432", run.out) and re.search(r"\b7\b", run.out), f"the plan: {run.out!r}")


@case("check-rights")
def rights(t):
    for op, right in (("create", "s3:PutObject"), ("abort", "s3:AbortMultipartUpload")):
        s3 = t.server(keys={ACCESS: Key(SECRET, deny={op})})
        run = check(t, s3)
        t.status(run, 77)
        t.says(run, right)
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"head_bucket", "list_uploads", "list_parts"})})
    run = check(t, s3)
    t.check(run.status in (0, 77), t.show(run))


@case("check-bad")
def bad(t):
    s3 = t.server(buckets=("another-bucket",))
    run = check(t, s3)
    t.status(run, 78)
    t.says(run, BUCKET)
    s3 = t.server()
    run = check(t, s3, env=t.environment(s3, (ACCESS, "wrong-secret/0123456789")))
    t.status(run, 77)
    s3 = t.server(buckets={BUCKET: Bucket("us-west-2")})
    run = check(t, s3)
    t.status(run, 0)
    t.check("us-west-2" in run.out, f"the plan does not name the bucket's region: {run.out!r}")
    s3 = t.server(tls=t.certificate())
    run = check(t, s3)
    t.status(run, 74)
    t.says(run, r"AWS_CA_BUNDLE")


@case("check-exists")
def exists(t):
    """What an export would refuse, check says before."""
    s3 = t.server()
    run = t.export(s3, "mixed", flags=["--part-size", "5MiB"])
    t.status(run, 0)
    before = dict(s3.objects())
    run = check(t, s3)
    t.check(run.status in (0, 73), t.show(run))
    t.check(s3.objects() == before and not s3.uploads(), "check changed something")


def stale(s3, *ages):
    """An upload under p/ for each age in seconds, and one elsewhere; their ids."""
    ids = []
    for number, age in enumerate(ages):
        ids.append(f"stale-{number}")
        s3.buckets[BUCKET].uploads[ids[-1]
                                   ] = Upload(f"p/file {number} <&>ü.csv", {}, None, "FULL_OBJECT", time.time() - age)
    s3.buckets[BUCKET].uploads["elsewhere"] = Upload("q/other.csv", {}, None, "FULL_OBJECT", time.time() - 10**6)
    return ids


def cleanup(t, s3, *flags, url=f"s3://{BUCKET}/p/", env=None):
    return t.command(["cleanup", url, *flags], env or t.environment(s3))


@case("cleanup-lists")
def lists(t):
    for page in (1000, 1, 2):
        s3 = t.server()
        s3.page = page
        stale(s3, 60, 7200, 86400 * 3)
        run = cleanup(t, s3)
        t.status(run, 0)
        for number in range(3):
            t.check(f"p/file {number} <&>ü.csv" in run.out, f"page {page}: upload {number} is not listed: {run.out!r}")
        t.check("other.csv" not in run.out, "an upload outside the URL is listed")
        t.check(not s3.ops("abort"), "cleanup without --older-than aborts nothing")
        t.sound(s3)


@case("cleanup-older-than")
def older_than(t):
    for age, gone in (("90m", {"stale-1", "stale-2"}), ("36h", {"stale-2"}),
                      ("7d", set()), ("0s", {"stale-0", "stale-1", "stale-2"})):
        s3 = t.server()
        s3.page = 2
        stale(s3, 60, 7200, 86400 * 3)
        run = cleanup(t, s3, "--older-than", age, "--dry-run")
        t.status(run, 0)
        t.check(len(s3.uploads()) == 4, f"--dry-run aborted something ({age})")
        run = cleanup(t, s3, "--older-than", age)
        t.status(run, 0)
        left = {"stale-0", "stale-1", "stale-2", "elsewhere"} - gone
        t.check(set(s3.uploads()) == left, f"--older-than {age}: left {sorted(s3.uploads())}, expected {sorted(left)}")


@case("cleanup-clock")
def cleanup_clock(t):
    """Ages are by the server's clock."""
    s3 = t.server()
    s3.clock_offset = 7200
    stale(s3, 60)
    s3.buckets[BUCKET].uploads["stale-0"].initiated += 7200
    t.status(cleanup(t, s3, "--older-than", "1h"), 0)
    t.check("stale-0" in s3.uploads(), "an upload that is a minute old was aborted as older than an hour")


@case("cleanup-empty-and-bad")
def empty_and_bad(t):
    s3 = t.server()
    t.status(cleanup(t, s3), 0)
    t.status(cleanup(t, s3, "--older-than", "0s"), 0)
    t.status(cleanup(t, s3, "--older-than", "soon"), 2)
    run = cleanup(t, s3, env=t.environment(s3, AWS_CA_BUNDLE="/nonexistent/ca.pem"))
    t.status(run, 78)
    t.says(run, r"/nonexistent/ca\.pem", r"AWS_CA_BUNDLE")
    t.status(cleanup(t, s3, url="/a/directory"), 2)
    t.status(cleanup(t, s3, url="s3://No_Bucket/"), 2)
    t.status(cleanup(t, s3, url="s3://no-such-bucket/"), 78)
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"list_uploads"})})
    run = cleanup(t, s3)
    t.status(run, 77)
    t.says(run, r"s3:ListBucketMultipartUploads")
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"abort"})})
    stale(s3, 60)
    run = cleanup(t, s3, "--older-than", "0s")
    t.status(run, 77)
    t.says(run, r"s3:AbortMultipartUpload")


@case("cleanup-faults", seconds=3)
def cleanup_faults(t):
    for op, act, arg in (("list_uploads", "error", "InternalError"), ("list_uploads", "badxml", None),
                         ("abort", "drop", None), ("abort", "error", "SlowDown"), ("list_uploads", "trunc", None)):
        s3 = t.server()
        stale(s3, 60, 120)
        s3.rule(op, act, arg)
        run = cleanup(t, s3, "--older-than", "0s")
        t.status(run, 0)
        t.check(set(s3.uploads()) == {"elsewhere"}, f"{op} {act}: left {sorted(s3.uploads())}")
    s3 = t.server()
    stale(s3, 60)
    s3.rule("abort", "error", "NoSuchUpload")  # somebody else was quicker
    t.status(cleanup(t, s3, "--older-than", "0s"), 0)
