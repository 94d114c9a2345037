"""Faults: after each either a correct delivery or a clear error, with the contract's status and nothing left."""
import time

from scripted_model import Key, Stored
from s3_case import ACCESS, BUCKET, SECRET, SIGINT, SIGTERM, case, send_signal_when

PARTS = ["--part-size", "5MiB", "--connections", "4"]
DELIVER = "deliver"
CLEAN = "deliver or a clean failure"

# (operation, act, arg, how often, what must come of it: DELIVER, CLEAN or statuses, what the message says)
EVERYWHERE = ("head", "create", "part", "complete", "put")
PASSING = [("error", "InternalError", 1), ("error", "SlowDown", 1), ("error", "ServiceUnavailable", 2),
           ("error", {"code": "RequestTimeout", "status": 400}, 1), ("error", {"code": "BadGateway", "empty": True}, 1),
           ("error", "GatewayTimeout", 1), ("error", "TooManyRequests", 1), ("early", "SlowDown", 1),
           ("early", {"code": "InternalError", "keep": True}, 1), ("rst", 0, 2), ("fin", 0, 1), ("drop", None, 1),
           ("nothttp", None, 1), ("close", None, 3), ("delay", 1, 1),
           ("error", {"code": "InternalError", "status": 500, "headers": {"Retry-After": "1"}}, 1)]
TABLE = [
    # (the answer to a HEAD has no body: a 400 there does not tell its code)
    *((op, act, arg, count, DELIVER, ()) for op in EVERYWHERE for act, arg, count in PASSING
      if op != "head" or not (isinstance(arg, dict) and arg.get("status") == 400)),
    *((op, act, arg, 1, DELIVER, ()) for op in ("part", "put") for act, arg in (
        ("rst", 100000), ("fin", 1000), ("noetag", None), ("sum", None), ("nosum", None), ("corrupt", None),
        ("slow", 4e6), ("garbage", None), ("hugehead", None))),
    *((op, act, arg, 1, DELIVER, ()) for op in ("create", "complete") for act, arg in (
        ("trunc", None), ("badxml", None), ("garbage", None), ("hugehead", None), ("hugebody", None),
        ("okerror", "InternalError"), ("spaces", 5), ("spaceserror", "InternalError"), ("after", "InternalError"))),
    ("complete", "okerror", "SlowDown", 1, DELIVER, ()),
    ("complete", "after", "NoSuchUpload", 1, DELIVER, ()),
    ("complete", "after", {"code": "ServiceUnavailable", "empty": True}, 1, DELIVER, ()),
    ("put", "after", "InternalError", 1, DELIVER, ()),
    # a wrong ETag can be noticed at Complete at the latest; parts that are not there too
    ("part", "etag", None, 1, CLEAN, ()),
    ("part", "undone", None, 1, CLEAN, ()),
    ("part", "after", "NoSuchUpload", 1, CLEAN, ()),
    ("complete", "undone", None, 1, CLEAN, ()),
    ("put", "undone", None, 1, CLEAN, ()),
    ("put", "etag", None, 1, CLEAN, ()),
    ("complete", "sum", None, 1, CLEAN, ()),
    ("complete", "nosum", None, 1, CLEAN, ()),
    ("complete", "corrupt", None, 1, CLEAN, ()),
    # conflicts
    ("complete", "error", "ConditionalRequestConflict", 1, CLEAN, ()),
    ("put", "error", "ConditionalRequestConflict", 1, DELIVER, ()),
    ("complete", "error", {"code": "OperationAborted", "status": 409}, 1, DELIVER, ()),
    ("complete", "error", "PreconditionFailed", 9, (73,), (r"exists",)),
    ("put", "error", "PreconditionFailed", 9, (73,), (r"exists",)),
    # other places
    ("create", "region", "us-west-2", 1, DELIVER, ()),  # which sends us back
    ("create", "region", {"region": "us-west-2", "status": 400}, 1, DELIVER, ()),
    ("part", "region", "us-west-2", 1, DELIVER, ()),
    ("part", "region", "eu-central-1", 1, (78,), (r"destination\.region",)),  # where we are already
    ("create", "region", {"region": "eu-central-1", "status": 400}, 1, (78,), (r"destination\.region",)),
    # for good
    *((op, "error", "AccessDenied", 100, (77,), (r"s3:|right|denied",))
      for op in ("create", "part", "complete", "put")),
    *((op, "error", "NoSuchBucket", 100, (78,), (r"bucket",)) for op in ("create", "part", "put")),
    ("part", "error", "ExpiredToken", 100, (77,), (r"expired",)),
    ("part", "error", "InvalidAccessKeyId", 100, (77,), ()),
    ("part", "error", "EntityTooLarge", 100, (74, 78), ()),
    ("part", "error", "NoSuchUpload", 100, (74, 75), ()),
    ("part", "error", {"code": "BadDigest"}, 100, (74,), (r"digest|checksum|corrupt",)),
    ("complete", "error", "InvalidPart", 100, (74,), ()),
    ("complete", "error", {"code": "EntityTooSmall"}, 100, (74,), ()),
    ("create", "error", {"code": "KMS.DisabledException"}, 100, (74, 77, 78), (r"KMS",)),
]


def name_of(act, arg):
    if isinstance(arg, dict):
        arg = arg.get("code", "") + ("-keep" if arg.get("keep") else "") + ("-empty" if arg.get("empty") else "") + \
            ("-after" if "headers" in arg else "") + (arg.get("region", "") and "region-400")
    return act + (f"-{arg}" if isinstance(arg, str) else "")


def one_fault(t, op, act, arg, count, wanted, says, every=False):
    s3 = t.server()
    # the second request of a kind where there are several: what came before must be taken back
    s3.rule(op, act, arg, count=count, from_=2 if op in ("part", "head") and act != "region" else 1)
    run = t.export(s3, "mixed", flags=PARTS)
    label = f"{op} {act} {arg}"
    had = len(t.problems)
    t.check(s3.hits(), f"{label}: the fault never happened")
    if wanted == DELIVER or (wanted == CLEAN and run.status == 0):
        t.delivered(run, s3, "mixed", sound=True)
    elif wanted == CLEAN:
        t.failed(run, s3, 73, 74, 75, name="mixed")
    else:
        t.failed(run, s3, *wanted, name="mixed")
        t.says(run, *says)
    t.problems[had:] = [f"{label}: {p}" for p in t.problems[had:]]


def faults_of(op):
    def run(t):
        for row in [r for r in TABLE if r[0] == op and r[4] in (DELIVER, CLEAN)]:
            one_fault(t, *row)
    return run


for _op, _seconds in (("head", 14), ("create", 18), ("part", 22), ("complete", 22), ("put", 20)):
    case(f"fault-{_op}", seconds=_seconds)(faults_of(_op))
for _row in [r for r in TABLE if r[4] not in (DELIVER, CLEAN)]:
    case(f"fault-for-good-{_row[0]}-{name_of(_row[1], _row[2])}", seconds=2)(lambda t, row=_row: one_fault(t, *row))


# ---- what is down for long ---------------------------------------------
def lasting(op, act, arg, wanted, says=()):
    def run(t):
        s3 = t.server()
        s3.rule(op, act, arg, count=100000)
        out = t.export(s3, "mixed", flags=PARTS)
        t.failed(out, s3, *wanted, name="mixed")
        t.says(out, *says)
        t.check(len(s3.ops(op)) < 200, f"{len(s3.ops(op))} requests to a server that is down")
    return run


for _op, _act, _arg, _wanted, _says in (
        ("part", "error", "InternalError", (75,), ()), ("part", "error", "SlowDown", (75,), (r"slow",)),
        ("part", "rst", 0, (75,), ()), ("create", "error", "ServiceUnavailable", (75,), ()),
        ("create", "garbage", None, (74, 75), ()), ("complete", "error", "InternalError", (75,), ()),
        ("part", "sum", None, (74, 75), (r"checksum",)), ("part", "noetag", None, (74, 75), (r"etag",)),
        ("complete", "drop", None, (0,), ())):
    if _wanted != (0,):
        case(f"fault-lasting-{_op}-{name_of(_act, _arg)}", seconds=60)(lasting(_op, _act, _arg, _wanted, _says))


@case("fault-lasting-nobody-there", seconds=40)
def nobody_there(t):
    run = t.export("http://127.0.0.1:9")
    t.status(run, 75)
    t.says(run, r"127\.0\.0\.1:9|connect")


@case("fault-lasting-no-such-host", seconds=40)
def no_such_host(t):
    run = t.export("http://no-such-host.invalid:80")
    t.status(run, 75)
    t.says(run, r"no-such-host\.invalid", r"endpoint|region", r"after 3 attempts")  # a typing error does not get better


# ---- 30 s without a byte -----------------------------------------------
def stalled(op, act):
    def run(t):
        s3 = t.server()
        s3.rule(op, act, 3600)  # far more than a run may take here
        t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
    return run


for _op, _act in (("part", "stall"), ("part", "mute"), ("create", "mute"), ("head", "mute")):
    case(f"fault-{_act}-{_op}", seconds=45)(stalled(_op, _act))


@case("fault-mute-complete", seconds=60)
def mute_complete(t):
    """Complete may take minutes on S3: when nothing comes at all for long it is reconciled, however long that takes."""
    s3 = t.server()
    s3.rule("complete", "drop")
    s3.rule("complete", "error", {"code": "InternalError"}, from_=2, count=2)
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")


# ---- storms ------------------------------------------------------------
@case("fault-storm-503", seconds=25)
def storm(t):
    """A burst of SlowDown over all parts: fewer at once, then more again."""
    s3 = t.server()
    s3.rule("part", "error", "SlowDown", from_=3, count=8)
    run = t.export(s3, "wide", flags=["--part-size", "5MiB", "--connections", "8"])
    t.delivered(run, s3, "wide")
    t.check(run.report and run.report["performance"]["throttles"] >= 1, "the report counts no throttles")
    t.check(run.report and run.report["performance"]["retries"] >= 8, "the report counts too few retries")


@case("fault-percent", seconds=25)
def percent(t):
    """Two of ten requests of any kind go wrong, in turns."""
    s3 = t.server()
    for act, arg in (("error", "InternalError"), ("rst", 50000), ("drop", None), ("early", "InternalError")):
        s3.rule("any", act, arg, count=100000, percent=5)
    run = t.export(s3, "mixed", flags=PARTS)
    t.delivered(run, s3, "mixed")


@case("fault-retry-after", seconds=8)
def retry_after(t):
    for header, value, least in (("Retry-After", "3", 2.9), ("x-amz-retry-after", "2500", 2.4)):
        s3 = t.server()
        s3.rule("put", "error", {"code": "SlowDown", "headers": {header: value}})
        t.delivered(t.export(s3), s3)
        times = [e["time"] for e in s3.ops("put")]
        t.check(len(times) == 2 and times[1] - times[0] >= least, f"{header}: {value} was not waited for: {times}")


@case("fault-redirect-307", seconds=2)
def redirect(t):
    for op in ("head", "create", "part", "put"):
        s3 = t.server()
        s3.rule(op, "redirect", f"http://localhost:{s3.port}")
        run = t.export(s3, "mixed", flags=PARTS)
        had = len(t.problems)
        t.delivered(run, s3, "mixed")
        t.problems[had:] = [f"307 for {op}: {p}" for p in t.problems[had:]]


@case("fault-redirect-elsewhere", seconds=2)
def redirect_elsewhere(t):
    """To a server of somebody else: whatever it does, nobody's keys are sent there in clear, and it ends."""
    s3, other = t.server(), t.server(buckets=("somebody",))
    s3.rule("put", "redirect", other.url, count=100)
    run = t.export(s3)
    t.check(run.status != 0, "delivered to nowhere")
    t.nothing_left(run, s3)


# ---- every request of a small delivery -------------------------------------------------------------------------------
def every_request(act, arg, may_fail):
    def run(t):
        s3 = t.server()
        t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
        count = len(s3.log)
        t.check(count >= 12, f"{count} requests: the case is not about much")
        for k in range(1, count + 3):
            s3 = t.server()
            s3.rule("any", act, arg, from_=k)
            out = t.export(s3, "mixed", flags=PARTS)
            had = len(t.problems)
            if out.status == 0:
                t.delivered(out, s3, "mixed")
            elif may_fail:
                t.failed(out, s3, *may_fail, name="mixed")
            else:
                t.fail(t.show(out))
            what = next((e["op"] for e in s3.log if e.get("act")), "nothing")
            t.problems[had:] = [f"{act} {arg} at request {k} ({what}): {p}" for p in t.problems[had:]]
            s3.close()
    return run


for _act, _arg, _may_fail in (("drop", None, ()), ("error", "InternalError", ()), ("rst", 0, ()),
                              ("early", "SlowDown", ()), ("error", "AccessDenied", (77,)), ("corrupt", None, (74, 77))):
    case(f"fault-every-request-{name_of(_act, _arg)}", seconds=15)(every_request(_act, _arg, _may_fail))


@case("fault-every-request-for-good", seconds=20)
def every_request_denied(t):
    """From request k on nothing works any more but what takes back: either nothing is left, or it is named."""
    s3 = t.server()
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
    for k in range(1, len(s3.log) + 1):
        one = t.server()
        for op in ("head", "create", "part", "complete", "put"):
            seen = sum(1 for e in s3.log[:k - 1] if e["op"] == op)
            one.rule(op, "error", "AccessDenied", from_=seen + 1, count=1000)
        out = t.export(one, "mixed", flags=PARTS)
        had = len(t.problems)
        t.failed(out, one, 77, name="mixed")
        t.problems[had:] = [f"denied from request {k} on: {p}" for p in t.problems[had:]]
        one.close()


# ---- taking back -------------------------------------------------------
def aborting(act, arg, count=1):
    def run(t):
        s3 = t.server()
        s3.rule("part", "error", "AccessDenied", part=2, count=100)
        s3.rule("abort", act, arg, count=count)
        out = t.export(s3, "mixed", flags=PARTS)
        t.check(s3.hits() >= 2, "no abort was tried")
        t.failed(out, s3, 77, name="mixed")
    return run


for _act, _arg in (("error", "InternalError"), ("error", "SlowDown"),
                   ("rst", 0), ("drop", None), ("undone", None), ("fin", 0)):
    case(f"abort-{name_of(_act, _arg)}", seconds=3)(aborting(_act, _arg))


@case("abort-late-part", seconds=4)
def abort_late_part(t):
    """A part that lands after the abort brings it back to life on S3: it is looked for and aborted again."""
    s3 = t.server()
    s3.rule("part", "delay", 0.5, part=1)
    s3.rule("part", "error", "AccessDenied", part=2, count=100)
    s3.rule("abort", "undone", count=2)
    out = t.export(s3, "mixed", flags=PARTS)
    t.failed(out, s3, 77, name="mixed")
    t.check(s3.ops("list_parts"), "ListParts was not asked whether the parts are gone")


@case("abort-denied", seconds=4)
def abort_denied(t):
    """No right to abort: what stays is named, and so is the way to remove it."""
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"abort"})})
    s3.rule("part", "error", "AccessDenied", part=2, count=100)
    out = t.export(s3, "mixed", flags=PARTS)
    t.status(out, 77)
    t.check(s3.uploads(), "this case is about an upload that stays")
    for upload in s3.uploads().values():
        t.check(upload.key in out.err, f"{upload.key} is not named")
    t.says(out, r"penstock cleanup", r"AbortMultipartUpload")


@case("abort-list-parts-denied", seconds=3)
def list_parts_denied(t):
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"list_parts"})})
    s3.rule("part", "error", "AccessDenied", part=2, count=100)
    t.failed(t.export(s3, "mixed", flags=PARTS), s3, 77, name="mixed")


@case("abort-server-gone", seconds=75)
def server_gone(t):
    """The server dies in the middle: the run ends in bounded time, and says what may have stayed."""
    s3 = t.server()
    s3.rule("part", "rst", 0, from_=2, count=10000)
    s3.rule("abort", "rst", 0, count=10000)
    s3.rule("list_parts", "rst", 0, count=10000)
    out = t.export(s3, "mixed", flags=PARTS)
    t.status(out, 75)
    t.says(out, r"penstock cleanup")


# ---- signals -----------------------------------------------------------
def interrupted(number, status, op, count, after):
    def run(t):
        s3 = t.server()
        # What comes before the commit takes so long that the signal meets it, however late that is sent.
        s3.rule("part", "slow", 15e6 if op in ("complete", "put") else 2e5, count=1000)
        s3.rule("complete", "delay", 1, count=10)
        s3.rule("put", "delay", 1, count=10)
        out = t.export(s3, "mixed", flags=PARTS, during=send_signal_when(s3, op, number, count, after))
        if op in ("complete", "put") and out.status == 0:
            t.delivered(out, s3, "mixed")  # too late to stop: all was being committed
            return
        t.failed(out, s3, status, name="mixed")
        t.stopped(out, 30)
    return run


for _label, _number, _status in (("int", SIGINT, 130), ("term", SIGTERM, 143)):
    for _op, _count, _after in (("head", 1, 0), ("create", 1, 0), ("part", 1, 0.1),
                                ("part", 3, 0.05), ("complete", 1, 0.2)):
        case(f"signal-{_label}-{_op}-{_count}", seconds=4)(interrupted(_number, _status, _op, _count, _after))


@case("signal-during-retries", seconds=5)
def signal_during_retries(t):
    s3 = t.server()
    s3.rule("part", "error", "SlowDown", count=1000)
    out = t.export(s3, "mixed", flags=PARTS, during=send_signal_when(s3, "part", SIGTERM, 3, 0.5))
    t.failed(out, s3, 143, name="mixed")
    t.stopped(out, 20)


@case("signal-while-muted", seconds=5)
def signal_while_muted(t):
    s3 = t.server()
    s3.rule("part", "mute", 300, count=1000)
    out = t.export(s3, "mixed", flags=PARTS, during=send_signal_when(s3, "part", SIGINT, 2, 0.5))
    t.failed(out, s3, 130, name="mixed")
    t.stopped(out, 20)


# ---- races about names -------------------------------------------------
def appears(op, name):
    """Somebody else's object of the same name appears just before ours is made."""
    def run(t):
        s3 = t.server()
        theirs = Stored(b"theirs", '"0123"', {})
        added = {}

        def meddle(entry):
            if entry["op"] == op and not added:
                added[entry["key"]] = theirs
                s3.buckets[BUCKET].objects[entry["key"]] = theirs
        s3.on_request = meddle
        out = t.export(s3, name, flags=PARTS)
        t.failed(out, s3, 73, name=name, before=added)
        t.check(all(s3.buckets[BUCKET].objects.get(k) is theirs for k in added) and added, "their object was replaced")
        t.says(out, r"exists")
    return run


case("race-complete", seconds=2)(appears("complete", "mixed"))
case("race-put")(appears("put", "tiny"))


@case("race-our-own-complete", seconds=2)
def our_own(t):
    """The reply to Complete is lost, and its repeat meets the object that it made itself."""
    for again in ("412", False, True):
        s3 = t.server()
        s3.complete_again = again
        s3.rule("complete", "drop", count=2)
        had = len(t.problems)
        t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")
        t.problems[had:] = [f"a repeat is answered by {again}: {p}" for p in t.problems[had:]]


@case("race-lost-put", seconds=2)
def lost_put(t):
    s3 = t.server()
    s3.rule("put", "drop", count=1)
    t.delivered(t.export(s3), s3)


@case("race-lost-complete-not-done", seconds=3)
def lost_not_done(t):
    s3 = t.server()
    s3.rule("complete", "rst", 0, count=3)
    t.delivered(t.export(s3, "mixed", flags=PARTS), s3, "mixed")


@case("fault-expired-in-the-middle", seconds=2)
def expired_in_the_middle(t):
    """Keys without a way to new ones: 77, and what was begun is named or gone."""
    token = "session-token-that-ends"
    keys = {ACCESS: Key(SECRET, token)}
    s3 = t.server(keys=keys)

    def expire(entry):
        if entry["op"] == "part":
            keys[ACCESS].expires = time.time() - 10
    s3.on_request = expire
    out = t.export(s3, "mixed", flags=PARTS, env=t.environment(s3, (ACCESS, SECRET, token)))
    t.status(out, 77)
    t.says(out, r"expired")
    t.check(not s3.objects(), "objects were left")
    for upload in s3.uploads().values():
        t.check(upload.key in out.err, f"{upload.key} stayed and is not named; {t.show(out)}")


