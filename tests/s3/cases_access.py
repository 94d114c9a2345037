"""Who may and who may not: bad input with its statuses and remedies, and where credentials come from."""
import json
import os
import stat
import time

from players import Container, Imds, Sts, rfc3339
from scripted_model import Bucket, Key
from s3_case import ACCESS, BUCKET, PREFIX, SECRET, case

PARTS = ["--part-size", "5MiB", "--connections", "4"]


def refused(t, s3, statuses, *says, name="tiny", before=(), **more):
    run = t.export(s3, name, **more)
    t.failed(run, s3, *statuses, name=name, before=before)
    t.says(run, *says)
    return run


# ---- bad input ---------------------------------------------------------
@case("refused-no-bucket")
def no_bucket(t):
    s3 = t.server(buckets=("another-bucket",))
    run = t.export(s3)
    t.status(run, 78)
    t.says(run, r"test-bucket", r"(no such|not exist|not there|does not)")


@case("refused-no-right")
def no_right(t):
    s3 = t.server(buckets={BUCKET: Bucket(deny=True)})
    refused(t, s3, (77,), r"test-bucket", r"denied|right|permission")
    for op, right in (("create", "s3:PutObject"), ("put", "s3:PutObject")):
        s3 = t.server(keys={ACCESS: Key(SECRET, deny={op})})
        refused(t, s3, (77,), right, name="mixed", flags=PARTS)


@case("refused-no-right-to-look")
def no_right_to_look(t):
    """HEAD of an object that is not there is 403 on S3 for who may not list: the message says which right is missing,
    or the delivery works without."""
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"head", "head_bucket"})})
    run = t.export(s3)
    if run.status != 0:
        t.failed(run, s3, 77)
        t.says(run, r"s3:(GetObject|ListBucket)")


@case("refused-wrong-secret")
def wrong_secret(t):
    s3 = t.server()
    run = t.export(s3, env=t.environment(s3, (ACCESS, "wrong+secret/of+somebody")))
    t.failed(run, s3, 77)
    t.says(run, r"secret|SignatureDoesNotMatch|signature", r"environment|AWS_SECRET_ACCESS_KEY")
    t.check(len(s3.log) <= 4, f"{len(s3.log)} requests with a secret that is wrong: it does not get better")


@case("refused-unknown-key")
def unknown_key(t):
    s3 = t.server()
    run = t.export(s3, env=t.environment(s3, ("AKIDNOBODY", SECRET)))
    t.failed(run, s3, 77)
    t.says(run, r"access key")


@case("refused-session")
def bad_session(t):
    token = "a-token-of-a-session/0123456789"
    s3 = t.server(keys={ACCESS: Key(SECRET, token, expires=time.time() - 60)})
    run = t.export(s3, env=t.environment(s3, (ACCESS, SECRET, token)))
    t.failed(run, s3, 77)
    t.says(run, r"expired")
    s3 = t.server(keys={ACCESS: Key(SECRET, token)})
    run = t.export(s3, env=t.environment(s3, (ACCESS, SECRET, "another-token-0123456789")))
    t.failed(run, s3, 77)
    t.says(run, r"token")
    run = t.export(s3, env=t.environment(s3, (ACCESS, SECRET)))
    t.failed(run, s3, 77)


@case("refused-other-account")
def other_account(t):
    s3 = t.server(buckets={BUCKET: Bucket(owner="999988887777")})
    run = t.export(s3, extra='account_id: "111122223333"\n')
    t.failed(run, s3, 77)
    t.says(run, r"account_id|owner|account", r"111122223333")


@case("refused-region-without-hint")
def region_without_hint(t):
    """A wrong region and a server that does not say the right one: the message names region."""
    s3 = t.server(buckets={BUCKET: Bucket("sa-east-1")})
    s3.region_hint = False
    run = t.export(s3)
    if run.status != 0:
        t.failed(run, s3, 77, 78)
        t.says(run, r"region")


@case("refused-bucket-names")
def bucket_names(t):
    s3 = t.server()
    for name in ("ab", "Upper", "under_score", "a..b", "192.168.1.1", "-begins", "xn--x", "b" * 64, ""):
        run = t.export(s3, url=f"s3://{name}/p/")
        t.status(run, 2)
        t.check(not s3.log, f"bucket {name!r}: a request was sent")
        t.says(run, r"bucket")
        s3.log.clear()
    run = t.export(s3, destination={"url": "s3://Upper/p/"}, url=None)
    t.status(run, 78)
    run = t.export(s3, url=f"s3://{BUCKET}/{'k' * 1020}/")
    t.status(run, 2, 78)  # too long by itself, or with the file's name


@case("refused-untrusted-tls")
def untrusted(t):
    s3 = t.server(tls=t.certificate())
    run = t.export(s3)
    t.status(run, 74)
    t.says(run, r"certificate|trust", r"AWS_CA_BUNDLE")
    t.check(s3.accepted <= 2, f"{s3.accepted} connections: trust does not come by itself")
    t.check(not s3.log, "it spoke to a server that it does not trust")


@case("refused-tls-misunderstood")
def tls_misunderstood(t):
    """https to a server that speaks plain HTTP, and the other way round: an end in time, a word about it."""
    plain, tls = t.server(), t.server(tls=t.certificate())
    for url in (f"https://127.0.0.1:{plain.port}", f"http://127.0.0.1:{tls.port}"):
        run = t.export(url)
        t.check(run.status not in (0, 70), t.show(run))
        t.says(run, r"127\.0\.0\.1")


@case("refused-bad-bundle")
def bad_bundle(t):
    s3 = t.server(tls=t.certificate())
    run = t.export(s3, env=t.environment(s3, AWS_CA_BUNDLE="/nonexistent/ca.pem"))
    t.status(run, 74, 77, 78)
    t.says(run, r"AWS_CA_BUNDLE|/nonexistent/ca\.pem")


@case("refused-exists")
def exists(t):
    s3 = t.server()
    first = t.export(s3, "small")
    t.delivered(first, s3, "small")
    before = dict(s3.objects())
    run = t.export(s3, "small")
    t.failed(run, s3, 73, name="small", before=before)
    t.says(run, r"exists", r"if_exists|replace")
    t.check(s3.objects() == before, "objects were changed")
    # the last of several
    s3 = t.server()
    last = sorted(t.expected_objects("mixed"))[-1]
    t.export(s3, "mixed", flags=PARTS)
    s3.buckets[BUCKET].objects = {last: s3.buckets[BUCKET].objects[last]}
    run = t.export(s3, "mixed", flags=PARTS)
    t.failed(run, s3, 73, name="mixed", before=[last])
    t.check(list(s3.objects()) == [last], "others were made")


@case("refused-if-none-match-unknown")
def if_none_match_unknown(t):
    """A store that answers If-None-Match with an error is named, with the setting that goes without."""
    for name in ("tiny", "mixed"):
        s3 = t.server()
        s3.if_none_match = "refuse"
        run = t.export(s3, name, flags=PARTS)
        t.failed(run, s3, 78, name=name)
        t.says(run, r"destination\.if_exists: replace")
    s3 = t.server()
    s3.if_none_match = "refuse"
    t.delivered(t.export(s3, "mixed", {"if_exists": "replace"}, PARTS), s3, "mixed")


@case("refused-if-none-match-ignored", seconds=2)
def if_none_match_ignored(t):
    """One that passes it over (Ceph 16) is covered by the HEAD just before."""
    s3 = t.server()
    s3.if_none_match = "ignore"
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
    before = dict(s3.objects())
    run = t.export(s3, "mixed", flags=PARTS)
    t.failed(run, s3, 73, name="mixed", before=before)
    t.check(s3.objects() == before, "objects were replaced")


@case("refused-checksum-unknown", seconds=3)
def checksum_unknown(t):
    """Stores that don't know checksums: a clear message that names the setting; with it they work."""
    for way in ("refuse", "refuse400", "ignore"):
        for name in ("tiny", "mixed"):
            s3 = t.server()
            s3.checksums = way
            run = t.export(s3, name, flags=PARTS)
            had = len(t.problems)
            if run.status != 0:
                t.failed(run, s3, 78, name=name)
                t.says(run, r"destination\.checksum")
            else:
                t.delivered(run, s3, name)
            t.problems[had:] = [f"checksums {way}, {name}: {p}" for p in t.problems[had:]]
            s3 = t.server()
            s3.checksums = way
            t.delivered(t.export(s3, name, {"checksum": "none"}, PARTS), s3, name)


@case("refused-owner-enforced")
def owner_enforced(t):
    s3 = t.server()
    s3.bucket_owner_enforced = True
    run = t.export(s3, destination={"acl": "public-read"})
    t.failed(run, s3, 74, 78)
    t.says(run, r"acl")


@case("refused-bad-job-keys")
def bad_job_keys(t):
    s3 = t.server()
    for destination, says in (
        ({
            "sse": "rot13"}, "sse"), ({
            "checksum": "md4"}, "checksum"), ({
                "addressing": "side"}, "addressing"), ({
                    "acl": "everybody"}, "acl"), ({
                        "kms_key_id": "k", "sse": "AES256"}, "kms_key_id"), ({
                            "endpoint": "ftp://x"}, "endpoint"), ({
                                "region": "eu central"}, "region"), ({
                                    "tags": {
                                        f"t{i}": "v" for i in range(11)}}, "tags"), ({
                                            "if_exists": "maybe"}, "if_exists")):
        run = t.export(s3, destination=destination)
        t.status(run, 78)
        t.says(run, says)
        t.check(not s3.objects(), f"{destination}: delivered")


@case("refused-flags")
def bad_flags(t):
    s3 = t.server()
    for flags in (["--part-size", "4MiB"], ["--part-size", "6GiB"], ["--connections", "0"], ["--connections", "1025"]):
        run = t.export(s3, flags=flags)
        t.status(run, 2)
        t.check(not s3.log, f"{flags}: requests were sent")
    run = t.export(s3, "mixed", flags=["--part-size", "64MiB", "--memory-limit", "40MiB"])
    t.status(run, 2)
    t.says(run, r"memory-limit|part-size", r"\d")


# ---- where credentials come from ---------------------------------------
def fresh(number=0, seconds=3600):
    """Credentials that expire so many seconds after they were fetched."""
    return {
        "seconds": seconds,
        "access": f"ASIAROLE{number}",
        "secret": f"role-secret/{number}+0123456789abcdef",
        "token": f"role/token+{number}==" * 30,
        "expiration": rfc3339(seconds)}


def knows(*given):
    return {one["access"]: Key(one["secret"], one["token"]) for one in given}


@case("credentials-none", seconds=3)
def none(t):
    s3 = t.server()
    run = t.export(s3, env=t.environment(s3, keys=None))
    t.status(run, 77)
    t.says(run, r"credential", r"AWS_ACCESS_KEY_ID", r"AWS_PROFILE|profile|aws configure")


@case("credentials-imds", seconds=2)
def imds(t):
    one = fresh()
    s3, player = t.server(keys=knows(one)), t.with_(Imds([one]))
    # a proxy that nobody answers at: S3 is excepted from it, the metadata service is by nature
    env = t.environment(f"http://localhost:{s3.port}", keys=None, AWS_EC2_METADATA_DISABLED=None,
                        AWS_EC2_METADATA_SERVICE_ENDPOINT=player.url + "/", http_proxy="http://127.0.0.1:9",
                        NO_PROXY="localhost")
    t.delivered(t.export(s3, "mixed", flags=PARTS, env=env), s3, "mixed")
    t.check(player.requests[0][:2] == ("PUT", "/latest/api/token"), f"IMDSv1 was tried: {player.requests[:2]}")
    t.check(player.given <= 2, f"credentials were fetched {player.given} times")
    env = t.environment(s3, keys=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=player.url)
    t.status(t.export(s3, env=env), 77)  # AWS_EC2_METADATA_DISABLED


@case("credentials-imds-no-role", seconds=3)
def imds_no_role(t):
    s3, player = t.server(), t.with_(Imds([fresh()], role=None))
    env = t.environment(s3, keys=None, AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=player.url)
    run = t.export(s3, env=env)
    t.status(run, 77)
    t.says(run, r"role|credential")


@case("credentials-imds-fails-twice", seconds=4)
def imds_fails(t):
    one = fresh()
    s3, player = t.server(keys=knows(one)), t.with_(Imds([one]))
    player.fail = 1
    env = t.environment(s3, keys=None, AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=player.url)
    run = t.export(s3, env=env)
    t.check(run.status in (0, 75, 77), t.show(run))


@case("credentials-refreshed", seconds=4)
def refreshed(t):
    """The server calls them expired in the middle; new ones come from IMDS, once."""
    first, second = fresh(1), fresh(2)
    keys = knows(first, second)
    s3, player = t.server(keys=keys), t.with_(Imds([first, second]))

    def expire(entry):
        if entry["op"] == "part" and keys[first["access"]].expires is None:
            keys[first["access"]].expires = time.time() - 10
    s3.on_request = expire
    s3.rule("part", "delay", 0.2, count=3)
    env = t.environment(s3, keys=None, AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=player.url)
    run = t.export(s3, "mixed", flags=PARTS, env=env)
    t.delivered(run, s3, "mixed")
    t.check({e.get("access_key") for e in s3.ops("complete")} == {second["access"]}, "the new keys were not used")
    t.check(player.given <= 3, f"credentials were fetched {player.given} times")


@case("credentials-about-to-expire", seconds=9)
def about_to_expire(t):
    """Six seconds left: fetched anew in the last quarter of them, without an error."""
    first, second = fresh(1, 6), fresh(2)
    s3, player = t.server(keys=knows(first, second)), t.with_(Imds([first, second]))
    s3.rule("create", "delay", 3.5, count=2)
    s3.rule("part", "delay", 3.5, count=4)
    env = t.environment(s3, keys=None, AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=player.url)
    t.delivered(t.export(s3, "mixed", flags=PARTS, env=env), s3, "mixed")
    t.check(player.given == 2, f"credentials were fetched {player.given} times")
    t.check({e.get("access_key") for e in s3.ops("complete")} == {second["access"]}, "the new keys were not used")


@case("credentials-container", seconds=3)
def container(t):
    one = fresh()
    s3, player = t.server(keys=knows(one)), t.with_(Container([one], "Bearer container/secret-token"))
    t.secrets.add("container/secret-token")
    base = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": player.url + "/creds", "keys": None}
    t.delivered(t.export(s3, env=t.environment(s3, AWS_CONTAINER_AUTHORIZATION_TOKEN="Bearer container/secret-token",
                **base)), s3)
    s3.buckets[BUCKET] = Bucket()
    path = t.give("pod-token", "Bearer container/secret-token")
    t.delivered(t.export(s3, env=t.environment(s3, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path, **base)), s3)
    run = t.export(s3, env=t.environment(s3, AWS_CONTAINER_AUTHORIZATION_TOKEN="Bearer wrong", **base))
    t.status(run, 77)
    t.says(run, r"container")
    run = t.export(s3, env=t.environment(
        s3, **{**base, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.7/creds"}))
    t.status(run, 77)
    t.says(run, r"AWS_CONTAINER_CREDENTIALS_FULL_URI|192\.0\.2\.7")


@case("credentials-assume-role", seconds=2)
def assume_role(t):
    one = fresh()
    base_secret = "base/secret+of+the+source/profile"
    t.secrets.add(base_secret)
    wanted = {"RoleArn": "arn:aws:iam::111122223333:role/deliver", "ExternalId": "ext-7"}
    s3, sts = t.server(keys=knows(one)), t.with_(Sts([one], {"AKIDBASE": base_secret}, wanted=wanted))
    config = t.give(
        "config", f"[profile deliver]\nrole_arn = {wanted['RoleArn']}\nsource_profile = base\nexternal_id = ext-7\n"
        f"duration_seconds = 1800\nregion = eu-central-1\n[profile base]\nregion = eu-central-1\n")
    keys = t.give("credentials", f"[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = {base_secret}\n")
    base = {"keys": None, "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_PROFILE": "deliver"}
    t.delivered(t.export(s3, env=t.environment(s3, AWS_ENDPOINT_URL_STS=sts.url, **base)), s3)
    t.check(sts.calls and sts.calls[0].get("DurationSeconds") == "1800", f"STS was asked {sts.calls}")
    sts.wanted = {"ExternalId": "another"}
    s3.buckets[BUCKET] = Bucket()
    run = t.export(s3, env=t.environment(s3, AWS_ENDPOINT_URL_STS=sts.url, **base))
    t.status(run, 77)
    t.says(run, r"AssumeRole|role")


@case("credentials-web-identity", seconds=2)
def web_identity(t):
    one = fresh()
    web_token = "eyJhbGciOi.web.identity-token"
    t.secrets.add(web_token)
    s3, sts = t.server(keys=knows(one)), t.with_(Sts([one], web_token=web_token))
    path = t.give("web-token", web_token + "\n")
    env = t.environment(s3, keys=None, AWS_WEB_IDENTITY_TOKEN_FILE=path,
                        AWS_ROLE_ARN="arn:aws:iam::111122223333:role/pod", AWS_ENDPOINT_URL_STS=sts.url)
    t.delivered(t.export(s3, env=env), s3)
    env["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/nonexistent/token"
    run = t.export(s3, env=env)
    t.status(run, 77)
    t.says(run, r"/nonexistent/token|AWS_WEB_IDENTITY_TOKEN_FILE")


@case("credentials-process", seconds=2)
def process(t):
    one = fresh()
    s3 = t.server(keys=knows(one))
    answer = json.dumps({"Version": 1, "AccessKeyId": one["access"], "SecretAccessKey": one["secret"],
                         "SessionToken": one["token"], "Expiration": one["expiration"]})
    script = t.give("process", f"#!/bin/sh\ncat <<'E'\n{answer}\nE\n")
    os.chmod(script, stat.S_IRWXU)
    config = t.give("config", f"[profile tool]\ncredential_process = {script} --with 'an argument'\n")
    base = {"keys": None, "AWS_PROFILE": "tool"}
    t.delivered(t.export(s3, env=t.environment(s3, AWS_CONFIG_FILE=config, **base)), s3)
    for text in ("exit 3", "echo no-json", "echo '{\"Version\": 2}'"):
        t.give("process", f"#!/bin/sh\n{text}\n")
        os.chmod(script, stat.S_IRWXU)
        run = t.export(s3, env=t.environment(s3, AWS_CONFIG_FILE=config, **base))
        t.status(run, 77)
        t.says(run, r"credential_process")


@case("credentials-profile")
def profile(t):
    s3 = t.server()
    config = t.give("config", "[profile other]\nregion = eu-central-1\ns3 =\n  addressing_style = path\n")
    keys = t.give("credentials", f"[other]\naws_access_key_id={ACCESS}\naws_secret_access_key={SECRET}\n"
                                 "[default]\naws_access_key_id=AKIDNOBODY\naws_secret_access_key=nothing\n")
    base = {"keys": None, "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": keys}
    t.delivered(t.export(s3, env=t.environment(s3, AWS_PROFILE="other", **base)), s3)
    run = t.export(s3, env=t.environment(s3, AWS_PROFILE="absent", **base))
    t.status(run, 77)
    t.says(run, r"absent")
    broken = t.give("broken", "[other\naws_access_key_id\n")
    run = t.export(s3, env=t.environment(s3, AWS_PROFILE="other", **{**base, "AWS_SHARED_CREDENTIALS_FILE": broken}))
    t.status(run, 77)
    t.says(run, r"given-broken", r"line|:1")


@case("credentials-environment-wins")
def environment_wins(t):
    s3 = t.server()
    keys = t.give("credentials", "[default]\naws_access_key_id=AKIDNOBODY\naws_secret_access_key=nothing\n")
    t.delivered(t.export(s3, env=t.environment(s3, AWS_SHARED_CREDENTIALS_FILE=keys)), s3)


@case("credentials-not-in-the-job")
def not_in_the_job(t):
    """No secret is taken from a job or a command line: a URL with one is refused without being shown."""
    s3 = t.server()
    secret = "a-secret-in-a-url"
    t.secrets.add(secret)
    run = t.export(s3, url=f"s3://{ACCESS}:{secret}@{BUCKET}/{PREFIX}")
    t.status(run, 2, 78)
