"""Against real servers: Ceph's gateway 16 and 20, Swift; a fault proxy in front; sessions of a real STS."""
import re
import subprocess
import time
import urllib.request

import checksums
import rig
from peer_client import S3Error
from players import Imds
from s3_case import SIGNAL_SECONDS, SIGTERM, case

PARTS = ["--part-size", "5MiB", "--connections", "4"]
PLAIN = {"checksum": "none"}  # Ceph 16 and Swift know no x-amz-checksum


class Real:
    """A bucket of its own on a real server, for one case."""

    def __init__(self, t, name, keys=None):
        self.t, self.told = t, t.rigs.told(name)
        self.keys = keys or (self.told["access_key"], self.told["secret_key"])
        t.secrets.add(self.told["secret_key"])
        self.client = t.client(self.told, self.keys)
        self.bucket = re.sub(r"[^a-z0-9]+", "-", t.name)[:60].strip("-")
        self.client.make_bucket(self.bucket)
        self.prefix = "Data Jobs/ü+/"
        self.url = f"s3://{self.bucket}/{self.prefix}"

    def environment(self, url=None, keys=None, **more):
        return self.t.environment(url or self.told["url"], keys or self.keys, AWS_REGION="us-east-1", **more)

    def export(self, name="mixed", destination=None, flags=(), env=None, **more):
        return self.t.export(None, name, destination, PARTS + list(flags), env or self.environment(), more.pop("url",
                             self.url), **more)

    def delivered(self, run, name="mixed"):
        t = self.t
        if not t.status(run, 0):
            return
        t.same(self.client.objects(self.bucket), t.expected_objects(name, self.prefix))
        t.check(not self.client.uploads(self.bucket), "unfinished uploads")

    def nothing_left(self, run, name="mixed", before=()):
        t = self.t
        t.check(not self.client.uploads(self.bucket), f"unfinished uploads; {t.show(run)}")
        want = t.expected_objects(name, self.prefix)
        for key, data in self.client.objects(self.bucket).items():
            if key not in before:
                t.check(data == want.get(key) and key in run.err, f"{key} was left")


# ---- Ceph 16 -----------------------------------------------------------
@case("rgw-delivery", seconds=5, rigs=["rgw"])
def rgw_delivery(t):
    real = Real(t, "rgw")
    run = real.export(destination=PLAIN)
    real.delivered(run)
    t.report_is_right(run, "mixed", real.url)
    until = time.monotonic() + 60  # the gateway writes its log a little later than its answers
    while True:
        with open(real.told["log"], encoding="utf-8", errors="replace") as log:
            lines = [line for line in log if "beast:" in line and real.bucket in line and "penstock" in line]
        parts = sum("PUT" in line and "partNumber=" in line for line in lines)
        if parts >= 4 or time.monotonic() > until:
            break
        time.sleep(0.1)
    t.check(parts == 4, f"the gateway's log: {parts} parts in {len(lines)} lines of ours")
    t.check(not any(re.search(r'HTTP/1\.1" (4(?!04)|5)\d\d', line) for line in lines), "the gateway's log has errors")


@case("rgw-read-back-by-awscli", seconds=8, rigs=["rgw"])
def rgw_awscli(t):
    rig.need(aws="awscli")
    real = Real(t, "rgw")
    t.status(real.export("small", PLAIN), 0)
    env = real.environment()
    env["AWS_CONFIG_FILE"] = env["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"
    aws = "/usr/bin/aws" if subprocess.run(["test", "-x", "/usr/bin/aws"], check=False).returncode == 0 else "aws"
    done = subprocess.run([aws,
                           "--endpoint-url",
                           real.told["url"],
                           "s3",
                           "cp",
                           "--recursive",
                           "--only-show-errors",
                           real.url,
                           t.folder + "/back"],
                          env=env,
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          timeout=240,
                          check=False)
    t.check(done.returncode == 0, f"awscli: {done.stdout.decode()[-300:]}")
    for name, data in t.inputs.expected("small").items():
        with open(f"{t.folder}/back/{name}", "rb") as file:
            t.check(file.read() == data, f"{name} as awscli reads it")


@case("rgw-tls", seconds=4, rigs=["rgw"])
def rgw_tls(t):
    real = Real(t, "rgw")
    run = real.export(destination=PLAIN, env=real.environment(real.told["tls_url"], AWS_CA_BUNDLE=real.told["ca"]))
    real.delivered(run)
    run = real.export(destination=PLAIN, env=real.environment(real.told["tls_url"]))
    t.status(run, 74)
    t.says(run, r"AWS_CA_BUNDLE")


@case("rgw-virtual", seconds=2, rigs=["rgw"])
def rgw_virtual(t):
    real = Real(t, "rgw")
    url = real.told["url"].replace("127.0.0.1", "localhost")
    real.delivered(real.export("small", {**PLAIN, "addressing": "virtual"}, env=real.environment(url)), "small")


@case("rgw-default-checksum", seconds=3, rigs=["rgw"])
def rgw_default_checksum(t):
    """Without `checksum: none`: delivered, or a message that names the setting."""
    real = Real(t, "rgw")
    run = real.export()
    if run.status == 0:
        real.delivered(run)
    else:
        t.status(run, 78)
        t.says(run, r"destination\.checksum")
        real.nothing_left(run)


@case("rgw-refused", seconds=3, rigs=["rgw"])
def rgw_refused(t):
    real = Real(t, "rgw")
    t.status(real.export("tiny", PLAIN, env=real.environment(keys=(real.keys[0], "wrong-secret"))), 77)
    t.status(real.export("tiny", PLAIN, env=real.environment(keys=("NOBODY", "wrong-secret"))), 77)
    others = (real.told["other_access_key"], real.told["other_secret_key"])
    run = real.export("tiny", PLAIN, env=real.environment(keys=others))
    t.status(run, 77)
    t.says(run, re.escape(real.bucket))
    run = real.export("tiny", PLAIN, url="s3://nobody-made-this/p/")
    t.status(run, 78)
    real.nothing_left(run)
    real.delivered(real.export("tiny", PLAIN), "tiny")
    t.status(real.export("tiny", PLAIN), 73)
    real.delivered(real.export("tiny", {**PLAIN, "if_exists": "replace"}), "tiny")


def options_of(t, rig_name, checksum, tagged):
    real = Real(t, rig_name)
    run = real.export(destination={**checksum, "sse": "aws:kms", "kms_key_id": real.told["kms_key"], "acl": "private",
                                   "tags": {"team": "data & more"}})
    real.delivered(run)
    for number, key in enumerate(sorted(real.client.keys_of(real.bucket))):
        head = real.client.head(real.bucket, key)
        t.check(head.get("x-amz-server-side-encryption") == "aws:kms", f"{key}: {head}")
        if number in tagged:
            tags = real.client.call("GET", f"/{real.bucket}/{key}", {"tagging": ""})[2]
            t.check(b"data &amp; more" in tags, f"{key}: tags {tags!r}")


@case("rgw-options", seconds=3, rigs=["rgw"])
def rgw_options(t):
    options_of(t, "rgw", PLAIN, (2,))  # Ceph 16 forgets the tags of multipart uploads


@case("rgw-session-from-imds", seconds=4, rigs=["rgw"])
def rgw_session(t):
    """Keys of a session that the gateway's STS gave out and verifies, by way of IMDSv2."""
    real = Real(t, "rgw")
    access, secret, token, expires = real.client.assume_role(real.told["role"])
    t.secrets |= {secret, token}
    good = {
        "access": access,
        "secret": secret,
        "token": token,
        "expiration": re.sub(r"\.\d+(\+00:00|Z)?$", "Z", expires)}
    # the role's account is not the user's: a bucket of the role's own
    mine = t.client(real.told, (access, secret, token))
    bucket = real.bucket + "-role"
    mine.make_bucket(bucket)
    player = t.with_(Imds([good], region="us-east-1"))
    more = {
        "AWS_EC2_METADATA_DISABLED": None,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": player.url,
        "AWS_REGION": "us-east-1"}
    run = real.export(destination=PLAIN, env=t.environment(real.told["url"], None, **more), url=f"s3://{bucket}/p/")
    if t.status(run, 0):
        t.same(mine.objects(bucket), t.expected_objects("mixed", "p/"))
    for broken in ({**good, "token": token[:-8] + "AAAAAAA="}, {**good, "token": ""}):
        player = t.with_(Imds([broken], region="us-east-1"))
        more["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = player.url
        run = real.export("tiny", PLAIN, env=t.environment(real.told["url"], None, **more), url=f"s3://{bucket}/q/")
        t.status(run, 77)


@case("rgw-assume-role", seconds=3, rigs=["rgw"])
def rgw_assume_role(t):
    """The gateway's own STS: AssumeRole with keys of a profile."""
    real = Real(t, "rgw")
    credentials = t.give("credentials",
                         f"[base]\naws_access_key_id = {real.keys[0]}\naws_secret_access_key = {real.keys[1]}\n")
    config = t.give("config",
                    f"[profile role]\nrole_arn = {real.told['role']}\nsource_profile = base\nregion = us-east-1\n")
    session = t.client(real.told, real.client.assume_role(real.told["role"])[:3])
    bucket = real.bucket + "-role"
    session.make_bucket(bucket)
    env = t.environment(real.told["url"], None, AWS_REGION="us-east-1", AWS_PROFILE="role", AWS_CONFIG_FILE=config,
                        AWS_SHARED_CREDENTIALS_FILE=credentials, AWS_ENDPOINT_URL_STS=real.told["url"])
    run = real.export("tiny", PLAIN, env=env, url=f"s3://{bucket}/p/")
    if t.status(run, 0):
        t.same(session.objects(bucket), t.expected_objects("tiny", "p/"))


@case("rgw-signal", seconds=4, rigs=["rgw"])
def rgw_signal(t):
    real = Real(t, "rgw")
    proxy = t.with_(t.rigs.proxy("rgw"))
    control(proxy, "set?op=part&act=delay&arg=60&count=100")  # no part is there before the signal

    def during(process):
        until = time.monotonic() + SIGNAL_SECONDS
        while time.monotonic() < until and "part=" not in control(proxy, "show"):
            time.sleep(0.05)
        process.send_signal(SIGTERM)
    run = real.export(destination=PLAIN, env=real.environment(proxy.told()["url"]), during=during)
    t.status(run, 143)
    real.nothing_left(run)


@case("rgw-busy", seconds=25, rigs=["rgw_busy"])
def rgw_busy(t):
    """A gateway that serves two requests at once and answers 503 to the rest, before it reads the body."""
    real = Real(t, "rgw_busy")
    run = real.export("wide", PLAIN, ["--connections", "8"])
    real.delivered(run, "wide")


@case("rgw-check-and-cleanup", seconds=3, rigs=["rgw"])
def rgw_cleanup(t):
    real = Real(t, "rgw")
    for key in ("p/a b.csv", "p/ü.csv", "q/c.csv"):
        real.client.create_upload(real.bucket, key)
    env = real.environment()
    run = t.command(["cleanup", f"s3://{real.bucket}/p/"], env)
    t.status(run, 0)
    t.check("p/a b.csv" in run.out and "p/ü.csv" in run.out and "q/c.csv" not in run.out, f"the list: {run.out!r}")
    t.status(t.command(["cleanup", f"s3://{real.bucket}/p/", "--older-than", "0s"], env), 0)
    t.check([k for k, _ in real.client.uploads(real.bucket)] == [
            "q/c.csv"], f"left: {real.client.uploads(real.bucket)}")


# ---- faults in front of Ceph 16 ----------------------------------------
def control(proxy, what):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{proxy.told()['control']}/{what}", timeout=60) as answer:
        return answer.read().decode()


@case("proxy-faults", seconds=20, rigs=["rgw"])
def proxy_faults(t):
    proxy = t.with_(t.rigs.proxy("rgw"))
    real = Real(t, "rgw")
    for number, rule in enumerate((
            "op=part&act=early&arg=SlowDown&count=2", "op=part&act=rst&arg=1000000&count=2", "op=part&act=drop",
            "op=part&act=noetag", "op=part&act=corrupt", "op=create&act=drop", "op=create&act=trunc",
            "op=complete&act=drop", "op=complete&act=error&arg=InternalError",
            "op=complete&act=okerror&arg=InternalError",
            "op=complete&act=trunc", "op=put&act=drop", "op=head&act=rst&count=2",
            "op=any&act=error&arg=SlowDown&percent=10&count=100000")):
        control(proxy, "reset")
        control(proxy, "set?" + rule)
        real.prefix = f"p{number}/"
        run = real.export(destination=PLAIN, env=real.environment(proxy.told()["url"]),
                          url=f"s3://{real.bucket}/{real.prefix}")
        had = len(t.problems)
        t.check("percent" in rule or "hits=0" not in control(proxy, "show"), "the fault never happened")
        if t.status(run, 0):
            t.same(real.client.objects(real.bucket, real.prefix), t.expected_objects("mixed", real.prefix))
        t.check(not [k for k, _ in real.client.uploads(real.bucket) if k.startswith(real.prefix)], "unfinished uploads")
        t.problems[had:] = [f"{rule}: {p}" for p in t.problems[had:]]


@case("proxy-faults-for-good", seconds=6, rigs=["rgw"])
def proxy_for_good(t):
    proxy = t.with_(t.rigs.proxy("rgw"))
    real = Real(t, "rgw")
    for rule, status in (("op=part&act=error&arg=AccessDenied&from=2&count=100", 77),
                         ("op=complete&act=error&arg=AccessDenied&count=100", 77),
                         ("op=put&act=error&arg=AccessDenied&count=100", 77)):
        control(proxy, "reset")
        control(proxy, "set?" + rule)
        run = real.export(destination=PLAIN, env=real.environment(proxy.told()["url"]))
        t.status(run, status)
        real.nothing_left(run)
        for key in real.client.keys_of(real.bucket):
            real.client.delete(real.bucket, key)


# ---- Swift -------------------------------------------------------------
@case("swift-delivery", seconds=8, rigs=["swift"])
def swift_delivery(t):
    real = Real(t, "swift")
    real.delivered(real.export(destination={**PLAIN, "if_exists": "replace"}))
    t.status(real.export(destination=PLAIN), 73)


@case("swift-knows-no-if-none-match", seconds=6, rigs=["swift"])
def swift_if_none_match(t):
    """PutObject with If-None-Match is 501 there: delivered all the same, or the message names the setting."""
    real = Real(t, "swift")
    run = real.export(destination=PLAIN)
    if run.status == 0:
        real.delivered(run)
    else:
        t.status(run, 78)
        t.says(run, r"destination\.if_exists: replace")
        real.nothing_left(run)


@case("swift-refused", seconds=3, rigs=["swift"])
def swift_refused(t):
    real = Real(t, "swift")
    t.status(real.export("tiny", PLAIN, env=real.environment(keys=(real.keys[0], "wrong-secret"))), 77)
    t.status(real.export("tiny", {**PLAIN, "if_exists": "replace"}, url="s3://nobody-made-this/p/"), 78)
    real.client.create_upload(real.bucket, "p/stale.csv")
    t.status(t.command(["cleanup", f"s3://{real.bucket}/p/", "--older-than", "0s"], real.environment()), 0)
    t.check(not real.client.uploads(real.bucket), "the upload is still there")


# ---- Ceph 20: checks what is sent --------------------------------------
def rgw20_checksum(kind):
    def run(t):
        real = Real(t, "rgw20")
        out = real.export(destination={"checksum": kind})
        real.delivered(out)
        t.report_is_right(out, "mixed", real.url, checksum=kind)
        for key in real.client.keys_of(real.bucket):
            head = real.client.head(real.bucket, key, **{"x-amz-checksum-mode": "ENABLED"})
            want = checksums.text(kind, t.inputs.expected("mixed")[key[len(real.prefix):]])
            # Ceph 20 hangs "-1" on the full-object checksum of an upload of one part
            have = head.get("x-amz-checksum-" + kind, "").partition("-")[0]
            t.check(have == want, f"{key}: the gateway's {kind} is {have}, ours {want}")
    return run


for _kind in ("crc64nvme", "crc32c", "crc32"):
    case(f"rgw20-checksum-{_kind}", seconds=3, rigs=["rgw20"])(rgw20_checksum(_kind))


@case("rgw20-options", seconds=4, rigs=["rgw20"])
def rgw20_options(t):
    options_of(t, "rgw20", {}, (0, 1, 2))


@case("rgw20-exists", seconds=4, rigs=["rgw20"])
def rgw20_exists(t):
    """If-None-Match at Complete: somebody's object that appears while parts are sent is not replaced."""
    real = Real(t, "rgw20")
    run = real.export()
    real.delivered(run)
    t.status(real.export(), 73)
    real.delivered(real.export(destination={"if_exists": "replace"}))
    # the gateway itself refuses, without the HEAD before
    key = real.client.keys_of(real.bucket)[0]
    upload = real.client.create_upload(real.bucket, key)
    etag = real.client.upload_part(real.bucket, key, upload, 1, b"x")["etag"]
    try:
        real.client.complete(real.bucket, key, upload, [etag], **{"if-none-match": "*"})
        t.fail("the gateway does not honour If-None-Match at Complete: this case proves nothing")
    except S3Error as error:
        t.check(error.status == 412, f"{error}")
    real.client.abort(real.bucket, key, upload)


@case("rgw20-tls", seconds=3, rigs=["rgw20"])
def rgw20_tls(t):
    real = Real(t, "rgw20")
    real.delivered(real.export(env=real.environment(real.told["tls_url"], AWS_CA_BUNDLE=real.told["ca"])))


@case("rgw20-corrupted-on-the-way", seconds=4, rigs=["rgw20"])
def rgw20_corrupted(t):
    """A byte changes between us and the gateway: it notices by the checksum, and the part goes again."""
    proxy = t.with_(t.rigs.proxy("rgw20"))
    real = Real(t, "rgw20")
    control(proxy, "set?op=part&act=corrupt&from=2")
    control(proxy, "set?op=put&act=corrupt")
    real.delivered(real.export(env=real.environment(proxy.told()["url"])))
    t.check("hits=2" in control(proxy, "show"), f"faults: {control(proxy, 'show')!r}")
