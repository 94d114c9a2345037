"""Sources and destination at two stores, or in several regions of one: whose endpoint, region and addressing each request
goes by."""
from cases_source import IN, JOB, URL, dump, export, fill, from_directory, put
from scripted_model import Bucket
from s3_case import BUCKET, PREFIX, case

READS = {"list_objects", "head", "get"}
TO = f"s3://{BUCKET}/{PREFIX}"  # of the same name as the bucket that is read: another store, another bucket
HERE, THERE = "us-west-2", "ap-south-1"


def job_to(endpoint=None, region=None, more=""):
    keys = [f"{name}: {value}" for name, value in (("endpoint", endpoint), ("region", region)) if value]
    return JOB + f"destination: {{ {', '.join(keys)}{more} }}\n"


def store(t, region=None, buckets=(BUCKET,)):
    return t.server(buckets={name: Bucket(region) for name in buckets} if region else buckets)


def signed_for(t, s3, *regions):
    have = {e["region"] for e in s3.log if "region" in e}
    t.check(have == set(regions), f"signed for {sorted(have)}, not for {regions}")


def accepted(t, s3, but=()):
    wrong = [(e["op"], e["refused"]) for e in s3.log if e.get("refused") and e.get("refused") not in but]
    t.check(not wrong, f"refused: {wrong}")


def only_reads(t, s3):
    t.check({e["op"] for e in s3.log} <= READS | {"head_bucket"}, f"asked for {({e['op'] for e in s3.log})} where it reads")


def delivered(t, run, s3, want, prefix=PREFIX):
    if t.status(run, 0):
        t.check(s3.objects() == {prefix + name: data for name, data in want.items()},
                f"other objects than files of a directory: {sorted(s3.objects())}")


@case("two-stores", seconds=2)
def two_stores(t):
    """Endpoint and region of the environment are the sources', those of the job the destination's."""
    files = dump()
    want = from_directory(t, files)
    near, far = store(t, HERE), store(t, THERE)
    fill(near, files, kind="crc64nvme")
    run = export(t, near, [URL], ["--connections", "4"], job_to(far.url, THERE), t.environment(near, AWS_REGION=HERE), to=TO)
    delivered(t, run, far, want)
    only_reads(t, near)
    t.check(not any(e["op"] in ("get", "list_objects") for e in far.log), "the destination was read")
    for s3, region in ((near, HERE), (far, THERE)):
        signed_for(t, s3, region)
        accepted(t, s3)
        t.sound(s3)
    # A check proves the rights of both.
    for s3 in (near, far):
        s3.log.clear()
    far.buckets[BUCKET].objects.clear()
    run = export(t, near, [URL], [], job_to(far.url, THERE), t.environment(near, AWS_REGION=HERE), to=TO, command="check")
    t.status(run, 0)
    t.check(far.url.split("//")[1] in run.out and THERE in run.out, f"the plan does not name the destination: {run.out}")
    signed_for(t, near, HERE)
    signed_for(t, far, THERE)


@case("two-stores-no-region", seconds=2)
def no_region(t):
    """The job's region is the destination's alone: the sources' bucket says its own."""
    files = {"a.json": dump()["part-1.json"]}
    want = from_directory(t, files)
    near, far = store(t, HERE), store(t, THERE)
    fill(near, files)
    run = export(t, near, [URL], [], job_to(far.url, THERE), t.environment(near, AWS_REGION=None), to=TO)
    delivered(t, run, far, want)
    signed_for(t, far, THERE)
    accepted(t, far)
    asked = [e["region"] for e in near.log if e["op"] in READS]
    t.check(asked and set(asked) == {HERE}, f"read with signatures for {set(asked)}")


@case("two-stores-redirected", seconds=2)
def redirected(t):
    """301 PermanentRedirect teaches the source's client another region, and nobody else; a bucket in a third one beside."""
    files = dump()
    want = from_directory(t, files)
    for op in ("list_objects", "get", "head"):
        near, far = store(t, THERE), store(t, THERE)
        near.buckets = {BUCKET: Bucket(THERE), "other-bucket": Bucket("sa-east-1")}
        for name, data in files.items():
            put(near, IN + name, data, bucket="other-bucket" if name.startswith("deep") else BUCKET)
        sources = [URL, f"s3://other-bucket/{IN}deep/er/part-4"]

        def move(entry, near=near, op=op):
            """The bucket is another region's from that request on."""
            if entry["op"] == op and entry["bucket"] == BUCKET:
                near.buckets[BUCKET].region = HERE

        near.on_request = move
        near.rule(op, "region", HERE, key=None)
        run = export(t, near, sources, [], job_to(far.url, THERE), t.environment(near, AWS_REGION=THERE), to=TO)
        t.status(run, 0)
        rows = [sorted(b"".join(files.values()).splitlines()) for files in (far.objects(), want)]
        t.check(rows[0] == rows[1], f"{op}: {len(rows[0])} rows, not those of a directory's {len(rows[1])}")
        signed_for(t, far, THERE)
        accepted(t, far)
        last = {e["bucket"]: e["region"] for e in near.log if "region" in e}
        t.check(last == {BUCKET: HERE, "other-bucket": "sa-east-1"}, f"{op}: signed in the end for {last}")
        t.check(near.hits() == 1, f"{op}: {near.hits()} hits")


@case("two-stores-one-endpoint", seconds=2)
def one_endpoint(t):
    """Where the environment names no endpoint, or the job's, the job's words for its store hold for sources, too; a store
    that does not say its region is signed for with the job's."""
    files = dump()
    want = from_directory(t, files)
    for ours in (False, True):
        for region in (None, "eu-central-1"):
            s3 = store(t, THERE, (BUCKET, "in-bucket"))
            s3.region_hint = False
            for name, data in files.items():
                put(s3, IN + name, data, bucket="in-bucket")
            env = t.environment(s3 if ours else None, AWS_REGION=region)
            run = export(t, s3, [f"s3://in-bucket/{IN}"], [], job_to(s3.url, THERE), env, to=TO)
            delivered(t, run, s3, want)
            signed_for(t, s3, THERE)
            accepted(t, s3)


@case("two-stores-refused", seconds=2)
def refused(t):
    """Who refuses is named: rights and buckets of one store say nothing of the other's."""
    near, far = store(t, HERE), store(t, THERE)
    fill(near, {"a.json": dump()["part-5.json"]})
    env = t.environment(near, AWS_REGION=HERE)
    near.buckets[BUCKET].deny = True
    run = export(t, near, [URL], [], job_to(far.url, THERE), env, to=TO)
    t.status(run, 77)
    t.says(run, "s3:(ListBucket|GetObject)")
    near.buckets[BUCKET].deny = False
    far.buckets[BUCKET].deny = True
    run = export(t, near, [URL], [], job_to(far.url, THERE), env, to=TO)
    t.status(run, 77)
    t.says(run, "s3:PutObject|s3:ListBucket")
    far.buckets.clear()
    run = export(t, near, [URL], [], job_to(far.url, THERE), env, to=TO)
    t.status(run, 78)
    near.buckets.clear()
    run = export(t, near, [URL], [], job_to(far.url, THERE), env, to=TO)
    t.status(run, 66)


@case("two-stores-addressing")
def addressing(t):
    """destination.addressing is for its own store."""
    files = {"a.json": dump()["part-5.json"]}
    want = from_directory(t, files)
    near, far = store(t, HERE), store(t, THERE)
    fill(near, files)
    run = export(t, near, [URL], [], job_to(f"http://localhost:{far.port}", THERE, ", addressing: virtual"),
                 t.environment(near, AWS_REGION=HERE), to=TO)
    delivered(t, run, far, want)
    t.check(all(e["headers"]["host"].startswith("127.0.0.1") for e in near.log), "the sources' bucket is in the host's name")
    t.check(all(e["headers"]["host"].startswith(BUCKET) for e in far.log),
            "the destination's bucket is not in the host's name")
