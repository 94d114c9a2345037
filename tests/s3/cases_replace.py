"""if_exists: replace with manifests and tokens: the order in which former and new objects go and come, and what stands
when it fails in the midst."""
import re

from scripted_model import Key
from s3_case import ACCESS, BUCKET, PREFIX, SECRET, SIGTERM, case, job_text, send_signal_when

PARTS = ["--part-size", "5MiB"]
PEGA = 'pega: { manifest: "{name}.xml" }\n'
MANIFEST, TOKEN = PREFIX + "acme.xml", PREFIX + "acme.xml.TOK"
REPLACE = {"if_exists": "replace"}


def former(t, **options):
    """A server with a whole delivery, and its objects. The log is empty."""
    s3 = t.server(**options)
    t.status(t.export(s3, "mixed", flags=PARTS, extra=PEGA), 0)
    t.check(MANIFEST in s3.objects() and TOKEN in s3.objects(), f"objects: {sorted(s3.objects())}")
    s3.log.clear()
    return s3, dict(s3.buckets[BUCKET].objects)


def replace(t, s3, **more):
    return t.export(s3, "mixed", REPLACE, PARTS, extra=PEGA, **more)


def stands(t, s3, before):
    t.check(s3.buckets[BUCKET].objects == before, "the former delivery does not stand as it stood")
    t.check(not s3.uploads(), "unfinished uploads")


def no_mixture(t, s3, before):
    """For on_request: what a reader would find before each request."""
    def look(_):
        objects = s3.buckets[BUCKET].objects
        for name in (MANIFEST, TOKEN):
            if name not in objects:
                continue
            is_old = objects[name] is before[name]
            for key in before:
                if key.endswith(".csv") or (name == TOKEN and key == MANIFEST):
                    t.check(key in objects and (objects[key] is before[key]) == is_old,
                            f"{'old' if is_old else 'new'} {name} beside another delivery's {key}")
    s3.on_request = look


@case("replace-order", seconds=3)
def order(t):
    s3, before = former(t)
    no_mixture(t, s3, before)
    t.status(replace(t, s3), 0)
    t.sound(s3)
    t.in_stages(s3)
    kinds = [(e["op"], e.get("key")) for e in s3.log]
    gone = [entry for entry in kinds if entry[0] == "delete"]
    t.check(gone == [("delete", TOKEN), ("delete", MANIFEST)], f"deleted: {gone}")
    t.check(kinds.index(gone[0]) > max(i for i, (op, _) in enumerate(kinds) if op == "part"), "deleted before all was sent")
    t.check(kinds.index(gone[1]) < min(i for i, (op, _) in enumerate(kinds) if op in ("complete", "put")),
            "a data file was replaced while the former manifest stood")
    have = s3.buckets[BUCKET].objects
    t.check(sorted(have) == sorted(before) and not any(have[k] is before[k] for k in have), "not all was replaced")


@case("replace-new-names")
def new_names(t):
    """Nothing stands there: no right to delete is needed."""
    s3 = t.server(keys={ACCESS: Key(SECRET, deny={"delete"})})
    t.status(t.export(s3, "tiny", REPLACE, extra=PEGA), 0)
    t.check(not s3.ops("delete"), "something was deleted")


@case("replace-denied", seconds=3)
def denied(t):
    s3, before = former(t)
    s3.keys[ACCESS].deny.add("delete")
    run = replace(t, s3)
    t.status(run, 77)
    t.says(run, r"s3:DeleteObject", r"acme\.xml\.TOK")
    stands(t, s3, before)


@case("replace-fails-before", seconds=4)
def before_the_exchange(t):
    """A part that fails, and a signal while parts are sent: the former delivery stands."""
    s3, before = former(t)
    s3.rule("part", "error", "AccessDenied", count=1000, from_=3)
    t.status(replace(t, s3), 77)
    stands(t, s3, before)
    s3, before = former(t)
    s3.rule("part", "mute", 600, count=1000)  # the exchange can't begin before the signal
    t.status(replace(t, s3, during=send_signal_when(s3, "part", SIGTERM, 2)), 143)
    stands(t, s3, before)


@case("replace-fails-in-the-midst", seconds=5)
def in_the_midst(t):
    for op, number, said in (("complete", 2, r"no manifest and no token is written"),
                             ("put", 1, r"no manifest and no token is written"),
                             ("put", 2, r"no token is written"), ("put", 3, r"taken away first")):
        s3, before = former(t)
        no_mixture(t, s3, before)
        s3.rule(op, "error", "AccessDenied", count=1000, from_=number)
        run = replace(t, s3)
        t.status(run, 77)
        t.says(run, said, r"files are complete and stay: s3://", r"the run must be repeated")
        t.check(TOKEN not in s3.objects(), f"{op} {number}: a token stands")
        new = [k for k, stored in s3.buckets[BUCKET].objects.items() if stored is not before.get(k)]
        t.says(run, rf"{len(new)} of 5 files are complete")
        t.check(len([k for k in new if k in run.err]) >= min(len(new), 3), f"{op} {number}: {new} are not named")
        t.check(not s3.uploads(), "unfinished uploads")
        s3.rules.clear()
        t.status(replace(t, s3), 0)
        t.check(TOKEN in s3.objects() and MANIFEST in s3.objects(), "the repeated run left no delivery")


@case("replace-signal-in-the-midst", seconds=4)
def signal_in_the_midst(t):
    """Behind the first Delete the delivery is brought to its end."""
    s3, before = former(t)
    s3.rule("delete", "delay", 1)
    no_mixture(t, s3, before)
    run = replace(t, s3, during=send_signal_when(s3, "delete", SIGTERM))
    t.status(run, 0)
    t.check(TOKEN in s3.objects() and s3.buckets[BUCKET].objects[TOKEN] is not before[TOKEN], "no new token")


@case("replace-passing-faults", seconds=4)
def passing(t):
    for act, arg in (("error", "SlowDown"), ("drop", None), ("rst", 0)):
        s3, before = former(t)
        no_mixture(t, s3, before)
        s3.rule("delete", act, arg, count=2)
        t.status(replace(t, s3), 0)
        t.check(s3.hits() == 2, f"{act}: {s3.hits()} hits")


@case("replace-after-a-killed-run", seconds=3)
def killed(t):
    """A data file that a killed run left: the message says what to do, and that does it."""
    s3, before = former(t)
    for name in (MANIFEST, TOKEN):
        del s3.buckets[BUCKET].objects[name]
    run = t.export(s3, "mixed", flags=PARTS, extra=PEGA)
    t.status(run, 73)
    t.says(run, r"acme_000[0-9]\.csv: exists already", r"if_exists: replace", r"killed run")  # the first that answers
    t.status(replace(t, s3), 0)
    t.check(sorted(s3.objects()) == sorted(before), f"objects: {sorted(s3.objects())}")


@case("replace-check", seconds=3)
def check_names(t):
    """check looks at the names of manifest, token and all files, as an export does."""
    for name, status in ((MANIFEST, 73), (TOKEN, 73), (PREFIX + "acme_0002.csv", 73)):
        s3, before = former(t)
        s3.buckets[BUCKET].objects = {name: before[name]}
        for destination, wanted in ((None, status), (REPLACE, 0)):
            job = t.give("job.yaml", job_text("mixed", {"url": f"s3://{BUCKET}/{PREFIX}", **(destination or {})}, PEGA))
            run = t.command(["check", "-j", job, t.inputs.path("mixed")], t.environment(s3))
            t.status(run, wanted)
            if wanted == 73:
                t.says(run, re.escape(name) + ": exists already")
            elif not name.endswith(".csv"):
                t.check("s3:DeleteObject" in run.out, f"the plan: {run.out!r}")
            t.check(s3.buckets[BUCKET].objects == {name: before[name]} and not s3.uploads(), "check changed something")
