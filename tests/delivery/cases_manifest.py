"""Manifests and tokens: what a Pega data job finds beside the data files."""
import csv
import io
import os
import random

from world import PROFILE_COLUMNS, PROFILE_IDENTITY, ROOT, WANTED, check, record_summary, tool

XSD = os.path.join(ROOT, "tests", "data", "manifest.xsd")
ROWS = 3000


def spec_of(pega, **more):
    return {"identity": PROFILE_IDENTITY, "columns": PROFILE_COLUMNS, "pega": pega, "files": {"name": "{name}_{part}.csv"},
            **more}


def checked(ended, dialect=None):
    """Every manifest is valid, its names exist (below the prefix), sizes and counts are those of the files."""
    for manifest in [name for name in ended.files if name.endswith(".xml")]:
        tool(["xmllint", "--noout", "--nonet", "--schema", XSD, os.path.join(ended.folder, manifest)])
        _, total, files = ended.manifest(manifest)
        check(total == sum(count for _, _, count in files), f"{manifest}: total {total}, files of {files}")
        for name, size, count in files:
            stored = [n for n in ended.files if name == n or name.endswith("/" + n)]
            check(len(stored) == 1, f"{manifest} names {name}, there are {sorted(ended.files)}")
            content = ended.files[stored[0]]
            check(size == len(content), f"{name}: {size} bytes in the manifest, {len(content)} stored")
            rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
            check(len(rows) - 1 == count, f"{name}: {count} records in the manifest, {len(rows) - 1} by a CSV reader")
            if dialect == "pega":  # no line break inside values: lines are rows
                check(content.count(b"\n") - 1 == count, f"{name}: {content.count(b'%c' % 10) - 1} lines for {count} rows")


def case_manifest_counts(world):
    for dialect in ("rfc4180", "pega"):
        ended = world.export(spec_of({}, files={"name": "{name}_{part}.csv", "max_rows": 700}, csv={"dialect": dialect}),
                             world.dump(ROWS, "--irregular", "0.1"), "--threads", "2")
        checked(ended, dialect)
        _, total, files = ended.manifest()
        check(total == ROWS == record_summary(ended)["outputRowCount"], f"{total} of {ROWS} rows")
        check([name for name, _, _ in files] == [f"acme_{n:04d}.csv" for n in range(1, 6)], f"files: {files}")


def case_manifest_texts(world):
    """& < > and both quotes, wherever a text of the job's gets into the XML."""
    odd = "A & B <c> \"d\" 'e' é/"
    ended = world.export(spec_of({"process_type": "Take <this> & \"that\" ]]>", "path_prefix": odd, "manifest": "{name}.xml"},
                                 files={"name": "{name} & 'x' {part}.csv"}), world.dump(20))
    checked(ended)
    process_type, _, files = ended.manifest("acme.xml")
    check(process_type == "Take <this> & \"that\" ]]>", f"processType reads {process_type!r}")
    check([name for name, _, _ in files] == [odd + "acme & 'x' 0001.csv"], f"names: {files}")
    content = ended.files["acme.xml"]
    check(content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n') and content.endswith(b"</manifest>\n"),
          f"the manifest begins or ends in another way: {content[:60]!r} {content[-20:]!r}")


def case_manifest_texts_that_xml_can_not_hold(world):
    """A control character has no place in XML 1.0, escaped or not."""
    world.refused(spec_of({"process_type": "a\x01b"}), "process_type")


def case_token_names(world):
    run = "acme_20261122T030000Z"
    files = {"name": "{name}.v1.{part}.csv", "max_rows": 60, "compression": "gzip"}
    for token, names in (
            ({}, [run + ".xml.TOK"]),
            ({"per": "manifest", "replace_extension": True}, [run + ".TOK"]),
            ({"suffix": ".tok"}, [run + ".xml.tok"]),
            ({"suffix": "_done"}, [run + ".xml_done"]),
            ({"per": "none"}, []),
            ({"per": "file"}, ["acme.v1.0001.csv.gz.TOK", "acme.v1.0002.csv.gz.TOK"]),
            ({"per": "file", "replace_extension": True}, ["acme.v1.0001.TOK", "acme.v1.0002.TOK"])):
        ended = world.export(spec_of({"token": token}, files=files), world.dump(100))
        tokens = sorted(set(ended.files) - set(ended.data_names()) - {run + ".xml"})
        check(tokens == names, f"{token}: {tokens}, not {names}")
        check(all(ended.files[name] == b"" for name in tokens), f"{token}: a token that is not empty")
        kinds = sorted(os.path.basename(f["url"]) for f in ended.report["files"] if f["kind"] == "token")
        check(kinds == names, f"{token}: the report lists {kinds}")


def case_token_names_that_meet(world):
    """Tokens that would have one name between them are refused, and so is a token in a data file's place."""
    files = {"name": "{name}.csv", "max_rows": 10}
    for pega in ({"manifest": "{name}.csv"}, {"token": {"suffix": ".csv", "replace_extension": True}, "manifest": "{name}.xml"}):
        ended = world.export(spec_of(pega, files={"name": "{name}.csv"}), world.dump(5), status=78)
        check(not ended.files, f"{pega}: wrote {sorted(ended.files)}")
    ended = world.export(spec_of({}, files=files), world.dump(200), status=78)
    check("{part}" in ended.stderr and not ended.files, f"a second file of one name: {ended.stderr!r}")


def case_manifest_is_there_when_nothing_is(world):
    """A segment that never occurs: status 0, a manifest of total 0, a warning, and a file only when it is asked for."""
    nobody = {"ids": ["no-such-segment"]}
    for empty, names in ((None, []), ("none", []), ("header", ["acme_0001.csv"])):
        files = {"name": "{name}_{part}.csv", **({"empty": empty} if empty else {})}
        ended = world.export(spec_of({}, segments=nobody, files=files), world.dump(200))
        checked(ended)
        check(ended.data_names() == names, f"files.empty {empty}: {sorted(ended.files)}")
        check(ended.manifest()[1:] == (0, [(n, len(ended.files[n]), 0) for n in names]), f"manifest: {ended.manifest()}")
        check("warning" in ended.stderr.lower(), f"no warning: {ended.stderr!r}")
        check(any(name.endswith(".TOK") for name in ended.files), f"no token: {sorted(ended.files)}")
        for content in (ended.files[n] for n in names):
            check(content == b"CustomerID,FirstName,LastName,Email,Street,City,Points,ModifiedAt,Tags\n", f"{content!r}")


def case_split_is_a_delivery_for_each_segment(world):
    ids = {WANTED: "loyal", "other": "a & b"}
    with open(world.dump(ROWS), "rb") as dump:
        data = dump.read()
    lines = [line.replace(WANTED.encode(), b"other") if number % 2 else line for number, line in enumerate(data.split(b"\n"))]
    segments = {"ids": list(ids), "names": ids, "split": True}
    spec = spec_of({"manifest": "{segment_id}.xml"}, segments=segments,
                   files={"name": "{segment_name}-{part}.csv", "max_rows": 20})
    ended = world.export(spec, b"\n".join(lines), "--threads", "2", "--shard-size", "50000")
    checked(ended)
    alone = {}
    for segment in ids:
        one = world.export(dict(spec, segments={"ids": [segment], "names": {segment: ids[segment]}, "split": True}), b"\n".join(lines))
        check(record_summary(one)["deliveredRecordCount"] > 30, "few members: the case proves nothing")
        alone.update(one.files)
    check(ended.files == alone, f"split: {sorted(ended.files)}; one by one: {sorted(alone)}, or other bytes")


def case_split_into_folders(world):
    """{segment_id} in destination.url: a folder for each delivery, and names without it."""
    spec = spec_of({}, segments={"ids": [WANTED, "nobody"], "split": True}, destination={"url": "out/{segment_id}/"})
    ended = world.export(spec, world.dump(500), to=None)
    names = sorted(ended.files)
    check(f"{WANTED}/acme_0001.csv" in names, f"files: {names}")
    check(f"{WANTED}/acme_20261122T030000Z.xml" in names and "nobody/acme_20261122T030000Z.xml" in names, f"files: {names}")


def case_split_needs_names_that_differ(world):
    world.refused(spec_of({}, segments={"ids": ["a", "b"], "split": True}), "segment_id")


def case_manifest_waits_for_the_data(world):
    """No manifest and no token when the run fails: nothing at all."""
    ended = world.export(spec_of({}), b'{"id":"1"}\n{broken\n', status=65)
    check(not ended.files, f"left behind: {sorted(ended.files)}")


def case_manifest_that_exists(world):
    """if_exists: fail holds for manifest and token, too, and nothing else is written."""
    folder = world.place()
    for name in ("acme_20261122T030000Z.xml", "acme_20261122T030000Z.xml.TOK"):
        os.makedirs(os.path.join(folder, name, "out"))
        world.write(os.path.join(folder, name, "out"), name, b"mine")
        ended = world.export(spec_of({}), world.dump(20), to=os.path.join(folder, name, "out"), status=73)
        check(list(ended.files) == [name] and ended.files[name] == b"mine", f"left behind: {sorted(ended.files)}")


SHARD = 1 << 20  # bytes of input whose rows stay together


def even_files(dumps, count):
    """[[ids of a file]] by the rule: each shard's rows go to the file with the fewest so far, the first of several;
    a new one is begun while there are fewer than `count`. `dumps`: [[(id, bytes of the line), …] of a source]"""
    files = []
    for dump in dumps:
        at = 0
        shards = {}
        for row, length in dump:
            shards.setdefault(at // SHARD, []).extend([row] if row is not None else [])
            at += length
        for rows in filter(None, (shards[number] for number in sorted(shards))):
            if len(files) < count:
                files.append([])
                files[-1] += rows
            else:
                min(files, key=len).extend(rows)
    return files


def case_files_of_even_size(world):
    """files.count: what lies where, for any number of threads; none without rows."""
    r = random.Random(7)
    dumps, paths = [], []
    folder = world.place()
    for name, megabytes in (("a.ndjson", 4), ("b.ndjson", 2.5)):
        lines, rows, size = [], [], 0
        while size < megabytes * SHARD:
            wide = 30000 if size % (2 * SHARD) > SHARD else 300  # shards of many rows and of few
            line = b'{"id":"%d","a":"%s"}\n' % (len(rows), b"x" * r.randrange(wide))
            member = r.random() < 0.7 and not 2 * SHARD < size < 3.2 * SHARD  # one shard without any row
            if not member:
                line = line.replace(b'"id"', b'"no"')
            rows.append((str(len(rows)).encode() if member else None, len(line)))
            lines.append(line)
            size += len(line)
        dumps.append(rows)
        paths.append(world.write(folder, name, b"".join(lines)))
    for count in (1, 2, 3, 5, 100):
        want = even_files(dumps, count)
        for flags in (["--threads", "1"], ["--threads", "2"], ["--threads", "5", "--input-mode", "mmap"]):
            spec = {"identity": {"column": "C", "paths": ["id"], "missing": "skip"}, "columns": [{"name": "S", "constant": "x"}],
                    "files": {"name": "{part}.csv", "count": count}, "pega": {}}
            ended = world.export(spec, paths[0], paths[1], *flags)
            checked(ended)
            have = [[row.split(b",")[0] for row in ended.files[name].splitlines()[1:]] for name in ended.data_names()]
            check(have == want, f"count {count}, {' '.join(flags)}: rows {[len(f) for f in have]}, not {[len(f) for f in want]}")
    for other in ({"max_rows": 10}, {"max_bytes": 10000}):
        world.refused(spec_of({}, files={"name": "{name}_{part}.csv", "count": 2, **other}), "count")
