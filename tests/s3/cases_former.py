"""if_exists: replace over a delivery of more files or of other names: former tokens, manifests and surplus data files are
found by a list of the folder and by reading manifests, and nothing else is touched."""
from scripted_model import Key, Stored
from s3_case import ACCESS, BUCKET, PREFIX, SECRET, case, job_text

REPLACE = {"if_exists": "replace"}
USUAL = 'pega: { manifest: "{name}.xml" }\n'
PER_FILE = 'pega: { manifest: "{name}.xml", token: { per: file } }\n'
OTHER = 'pega: { manifest: "{name}_all.xml", path_prefix: In/, token: { suffix: .DONE } }\n'


def names(s3):
    return sorted(key[len(PREFIX):] for key in s3.objects())


def data(count, end=""):
    return [f"acme_{part:04d}.csv{end}" for part in range(1, count + 1)]


def manifest(*named):
    files = "".join(f"<file><name>{name}</name><recordCount>1</recordCount></file>" for name in named)
    return f"<manifest><totalRecordCount>{len(named)}</totalRecordCount><files>{files}</files></manifest>".encode()


def put(s3, name, content=b""):
    s3.buckets[BUCKET].objects[PREFIX + name] = Stored(content, f'"{len(content)}-{hash(content):x}"', {})


def expect(t, s3, *wanted):
    t.check(names(s3) == sorted(wanted), f"there are {names(s3)}, not {sorted(wanted)}")
    t.sound(s3)


def former(t, extra, name="small", **options):
    """A server with a delivery of six files, and an empty log."""
    s3 = t.server(**options)
    t.status(t.export(s3, name, REPLACE, extra=extra), 0)
    s3.log.clear()
    return s3


@case("former-fewer-files", seconds=3)
def fewer(t):
    for extra, tokens in ((USUAL, lambda n: ["acme.xml.TOK"]), (PER_FILE, lambda n: data(n, ".TOK"))):
        s3 = former(t, extra)
        expect(t, s3, "acme.xml", *data(6), *tokens(6))
        t.status(t.export(s3, "tiny", REPLACE, extra=extra), 0)
        expect(t, s3, "acme.xml", *data(1), *tokens(1))
        kinds = [(e["op"], (e.get("key") or "")[len(PREFIX):]) for e in s3.log]
        gone = [key for op, key in kinds if op == "delete"]
        order = [2 if key.endswith(".TOK") else 1 if key.endswith(".xml") else 0 for key in gone]
        t.check(order == sorted(order, reverse=True), f"deleted in this order: {gone}")
        first_data = next(i for i, (op, key) in enumerate(kinds) if op == "delete" and key.endswith(".csv"))
        t.check(first_data > max(i for i, (op, key) in enumerate(kinds) if op == "put" and key.endswith(".TOK")),
                "a surplus file was deleted before the new delivery stood")


@case("former-other-names", seconds=4)
def other_names(t):
    usual = {USUAL: ["acme.xml", "acme.xml.TOK"], PER_FILE: ["acme.xml", "acme_0001.csv.TOK"],
             OTHER: ["acme_all.xml", "acme_all.xml.DONE"], "": []}
    for before in (USUAL, PER_FILE, OTHER):
        for after, tokens in usual.items():
            s3 = former(t, before)
            for name in ("note.txt", "other.xml", "deep/acme.xml", "deep/acme_0001.csv"):
                put(s3, name, manifest("else.csv") if name == "other.xml" else b"x")
            put(s3, "other.xml.TOK")
            put(s3, "deep/acme.xml.TOK")
            t.status(t.export(s3, "tiny", REPLACE, extra=after), 0)
            surplus = data(6)[1:] if (before == OTHER) != (after == OTHER) else []  # under another pega.path_prefix
            expect(t, s3, "acme_0001.csv", *tokens, *surplus, "note.txt", "other.xml", "other.xml.TOK", "deep/acme.xml",
                   "deep/acme_0001.csv", "deep/acme.xml.TOK")


@case("former-any-extension", seconds=2)
def any_extension(t):
    """Manifests are known by their content; of a large object that is none the head alone is asked for."""
    s3 = former(t, 'pega: { manifest: MANIFEST }\n')
    put(s3, "other.of", manifest("else.csv"))
    put(s3, "other.of.TOK")
    put(s3, "picture.bin", b"x" * (1 << 20))
    t.status(t.export(s3, "tiny", REPLACE, extra=USUAL), 0)
    expect(t, s3, "acme.xml", "acme.xml.TOK", "acme_0001.csv", "other.of", "other.of.TOK", "picture.bin")
    read = sorted(e["key"][len(PREFIX):] for e in s3.ops("get"))
    t.check(read == ["MANIFEST", "other.of", "picture.bin"], f"read was {read}")


@case("former-pages", seconds=2)
def pages(t):
    """Lists of several pages, some of nothing that counts; a store that does not know a delimiter."""
    for knows in (True, False):
        s3 = former(t, OTHER)
        s3.page = 3
        s3.ignores_delimiter = not knows
        for number in range(12):
            put(s3, f"aa{number}/deep.xml", manifest("acme_0001.csv"))
        t.status(t.export(s3, "tiny", REPLACE, extra=OTHER), 0)
        expect(t, s3, "acme_0001.csv", "acme_all.xml", "acme_all.xml.DONE", *(f"aa{n}/deep.xml" for n in range(12)))
        t.check(len(s3.ops("list_objects")) > 2, "the list had one page")
        read = [e["key"] for e in s3.ops("get")]
        t.check(read == [PREFIX + "acme_all.xml"], f"read was {read}")


@case("former-fresh-names", seconds=1)
def fresh(t):
    """Names that are the run's alone: a list, but nothing is read."""
    s3 = t.server()
    for number in range(5):
        put(s3, f"acme_{number}.xml", manifest("acme_0001.csv"))
    t.inputs.expected("tiny")
    job = 'pega: { manifest: "{name}_{run_time}.xml" }\n'
    text = job_text("tiny", {"url": f"s3://{BUCKET}/{PREFIX}", **REPLACE}, job).replace("{name}_{part}", "{name}_{run_time}_{part}")
    run = t.command(["export", "-j", t.give("job.yaml", text), t.inputs.path("tiny")], t.environment(s3))
    t.status(run, 0)
    t.check(not s3.ops("get") and not s3.ops("delete"), f"asked were {[e['op'] for e in s3.log]}")


@case("former-refused", seconds=4)
def refused(t):
    """What can't be judged ends the run before anything is touched."""
    for deny, right in (("list_objects", "s3:ListBucket"), ("get", "s3:GetObject")):
        s3 = former(t, USUAL)
        before = dict(s3.buckets[BUCKET].objects)
        s3.keys[ACCESS] = Key(SECRET, deny={deny})
        run = t.export(s3, "tiny", REPLACE, extra=USUAL)
        t.status(run, 77)
        t.says(run, right, "former manifests")
        t.check(s3.buckets[BUCKET].objects == before and not s3.uploads(), f"without {right} something changed")
    for content in (b"<manifest>", b"<manifest>" + b" " * (17 << 20)):
        s3 = former(t, USUAL)
        put(s3, "strange.xml", content)
        before = dict(s3.buckets[BUCKET].objects)
        run = t.export(s3, "tiny", REPLACE, extra=USUAL)
        t.status(run, 78)
        t.says(run, r"strange\.xml", "remove it")
        t.check(s3.buckets[BUCKET].objects == before and not s3.uploads(), "a refused run changed something")
    got = [e for e in s3.ops("get") if e["key"].endswith("strange.xml")]
    t.check(len(got) == 1, f"a large manifest was read {len(got)} times")


@case("former-hostile", seconds=1)
def hostile(t):
    s3 = t.server()
    put(s3, "old.xml", manifest("acme_0001.csv", "../above.csv", "/abs.csv", "deep/in.csv", ".hidden", "..", "fine.csv", "x" * 1000))
    put(s3, "old.xml.TOK")
    for name in ("deep/in.csv", ".hidden", "fine.csv", "in.csv", "abs.csv", "above.csv"):
        put(s3, name, b"x")
    t.status(t.export(s3, "tiny", REPLACE, extra=USUAL), 0)
    expect(t, s3, "acme.xml", "acme.xml.TOK", "acme_0001.csv", "deep/in.csv", ".hidden", "in.csv", "abs.csv", "above.csv")


@case("former-faults", seconds=4)
def faults(t):
    """Passing faults of lists and reads are tried again; a surplus file that stays is told, and the delivery stands."""
    for op in ("list_objects", "get", "delete"):
        s3 = former(t, PER_FILE)
        s3.rule(op, "error", "SlowDown", count=2)
        t.status(t.export(s3, "tiny", REPLACE, extra=PER_FILE), 0)
        expect(t, s3, "acme.xml", "acme_0001.csv", "acme_0001.csv.TOK")
    s3 = former(t, USUAL)
    s3.rule("delete", "error", "AccessDenied", count=1000, from_=3)  # behind token and manifest
    run = t.export(s3, "tiny", REPLACE, extra=USUAL)
    t.status(run, 0)
    t.says(run, r"the delivery stands, but 5 data files", r"acme_000\d\.csv")
    t.check(len(run.report["files"]) == 3, f"the report has {run.report['files']}")
