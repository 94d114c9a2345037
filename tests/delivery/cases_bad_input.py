"""Bad jobs are refused with what is allowed; bad records fail alone."""
import json

from world import check, record_summary, skipped

STATUSES = ("realized", "existing", "exited")


def case_bad_values_name_the_allowed_ones(world):
    for spec, words in (
            ({"segments": {"ids": ["x"], "statuses": ["realised"]}}, ("realised", *STATUSES)),
            ({"segments": {"ids": ["x"], "statuses": []}}, ("statuses",)),
            ({"segments": {"ids": []}}, ("ids",)),
            ({"segments": {"namespace": "ups"}}, ("ids",)),
            ({"files": {"name": "{nam}_{part}.csv"}}, ("{nam}", "{name}", "{part}", "{run_time}", "{run_id}")),
            ({"pega": {"manifest": "{file}.xml"}}, ("{file}", "{name}", "{run_time}")),
            ({"pega": {"token": {"per": "run"}}}, ("run", "manifest", "file", "none")),
            ({"pega": {"token": {"replace_extension": "yes"}}}, ("replace_extension", "true", "false")),
            ({"columns": [{"name": "A", "path": "a", "transform": ["trimm"]}]}, ("trimm", "trim", "lower", "upper", "sha256")),
            ({"columns": [{"name": "A", "path": "a", "type": "time"}]}, ("time", "timestamp", "date")),
            ({"identity": {"column": "C", "paths": ["id"], "multiple": "all"}}, ("all", "primary", "first", "explode")),
            ({"identity": {"column": "C", "paths": ["id"], "missing": "ignore"}}, ("ignore", "reject", "skip")),
            ({"identity": {"column": "C", "paths": ["id"], "deduplicate": "newest"}}, ("newest", "none", "latest")),
            ({"identity": {"column": "C", "paths": ["id"], "deduplicate": "latest", "timestamp": "a..b"}}, ("timestamp",)),
            ({"files": {"compression": "bzip2"}}, ("bzip2", "none", "gzip", "zstd")),
            ({"files": {"empty": "yes"}}, ("empty", "none", "header")),
            ({"files": {"count": 0}}, ("count",)),
            ({"csv": {"dialect": "excel"}}, ("excel", "rfc4180", "pega")),
            ({"consent": {"require": [{"path": "a"}]}}, ("allow",)),
            ({"consent": {"require": [{"allow": ["y"]}]}}, ("path",)),
            ({"consent": {"require": [{"path": "a", "allow": ["y"], "missing": "skip"}]}}, ("skip", "allow", "deny")),
            ({"segments": {"ids": ["x"], "split": True}, "files": {"name": "{segment}_{part}.csv"}},
             ("{segment}", "{segment_id}", "{segment_name}"))):
        ended = world.refused(spec, *words)
        check("job.json" in ended.stderr, f"the job file is not named: {ended.stderr.strip()[:300]}")


def case_bad_headers(world):
    """Columns without a name are named by AEP's rule; two of one name are refused, however they got it."""
    ended = world.export({"columns": [{"path": "a"}, {"path": "p.q"}], "files": {"name": "x.csv"}}, b'{"id":"1","a":"x"}\n')
    check(ended.files["x.csv"] == b"CustomerID,a,p_q\n1,x,\n", f"{ended.files['x.csv']!r}")
    world.refused({"columns": [{"path": "p.q"}, {"name": "p_q", "path": "a"}]}, "p_q")
    world.refused({"columns": [{"path": "a"}, {"path": "$.a"}]}, "a")


def case_bad_namespaces_fail_alone(world):
    """A namespace that is no array, entries that are no objects, ids that are no scalars: no id, never a crash."""
    good = '{"identityMap":{"CustomerID":[{"id":"good"}]},"a":"x"}'
    bad = ['{"CustomerID":{"id":"1"}}', '{"CustomerID":"1"}', '{"CustomerID":1}', '{"CustomerID":null}', '{"CustomerID":true}',
           '{"CustomerID":[]}', '{"CustomerID":[[{"id":"1"}]]}', '{"CustomerID":["1"]}', '{"CustomerID":[null]}',
           '{"CustomerID":[{"id":{"id":"1"}}]}', '{"CustomerID":[{"id":["1"]}]}', '{"CustomerID":[{"id":null}]}',
           '{"CustomerID":[{"id":""}]}', '{"CustomerID":[{}]}', '[]', '"CustomerID"', 'null', '{}', '[{"CustomerID":[{"id":"1"}]}]']
    lines = [good]
    for value in bad:
        lines += ['{"identityMap":' + value + ',"a":"y"}', good]
    spec = {"identity": {"column": "C", "paths": ["identityMap.CustomerID"]}, "rejects": {"max": len(bad)},
            "files": {"name": "x.csv"}}
    for multiple in ("primary", "first", "explode"):
        for flags in (["--threads", "1"], ["--threads", "3", "--shard-size", "60"], ["--walk", "on-demand"]):
            ended = world.export({**spec, "identity": {**spec["identity"], "multiple": multiple}},
                                 "\n".join(lines).encode(), *flags)
            check(ended.files["x.csv"] == b"C,A\n" + b"good,x\n" * (len(bad) + 1), f"{multiple}: {ended.files['x.csv'][:200]!r}")
            failed = {k: v for k, v in record_summary(ended)["failedByReason"].items() if v}
            check(failed == {"missing_identity": len(bad)}, f"{multiple}: failed {failed}")


def case_bad_memberships_are_none(world):
    member = '{"id":"in","segmentMembership":{"ups":{"s":{"status":"realized"}}}}'
    lines = [member]
    for value in ('null', '[]', '"s"', '{}', '{"ups":null}', '{"ups":[]}', '{"ups":"s"}', '{"ups":["s"]}', '{"ups":{"s":null}}',
                  '{"ups":{"s":"realized"}}', '{"ups":{"s":["realized"]}}', '{"ups":{"s":{}}}', '{"ups":{"s":{"status":null}}}',
                  '{"ups":{"s":{"status":["realized"]}}}', '{"ups":{"s":{"status":{"status":"realized"}}}}',
                  '{"ups":{"s":{"status":true}}}', '{"ups":{"s":{"status":""}}}', '{"ups":{"s":{"status":"REALIZED"}}}',
                  '{"ups":{"s":{"status":"exited"}}}', '{"aam":{"s":{"status":"realized"}}}', '{"ups":{"S":{"status":"realized"}}}',
                  '{"ups":{"t":{"s":{"status":"realized"}}}}', '{"s":{"status":"realized"}}', '[{"ups":{"s":{"status":"realized"}}}]'):
        lines += ['{"id":"out","segmentMembership":' + value + '}', member]
    for value in ('{"UPS":{"s":{"status":"existing"}}}', '{"ups":{"\\u0073":{"status":"realized"}}}',
                  '{"ups":{"s":{"status":"re\\u0061lized"}}}', '{"xdm:ups":{"xdm:s":{"xdm:status":"realized"}}}',
                  '{"ups":{"s":{"status":"exited"},"s":{"status":"realized"}}}'):
        lines.append('{"id":"in","segmentMembership":' + value + '}')
    want = sum('"in"' in line for line in lines)
    for flags in (["--threads", "1"], ["--threads", "3", "--shard-size", "90"], ["--walk", "on-demand"]):
        ended = world.export({"segments": {"ids": ["s"]}, "files": {"name": "x.csv"}}, "\n".join(lines).encode(), *flags)
        check(ended.files["x.csv"] == b"CustomerID,A\n" + b"in,\n" * want, f"{ended.files['x.csv']!r}, {want} members")
        check(skipped(ended) == {"segment": len(lines) - want}, f"skipped: {skipped(ended)}")


def case_bad_lookalikes_of_ids(world):
    """Segment ids that hold what JSON escapes, each written in several ways, and in places that don't count."""
    for segment in ("a/b", 'q"q', "back\\slash", "é", "tab\tid", "😀", "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae", "dots.and[0]"):
        key = json.dumps(segment, ensure_ascii=False)
        spelled = [key, json.dumps(segment), '"' + "".join(f"\\u{unit:04x}" for unit in units_of(segment)) + '"',
                   key.replace("/", "\\/")]
        inside = [f'{{"id":"{n}","segmentMembership":{{"ups":{{{s}:{{"status":"realized"}}}}}}}}' for n, s in enumerate(spelled)]
        outside = [f'{{"id":"no","x":{key}}}', f'{{"id":"no",{key}:{{"status":"realized"}}}}',
                   f'{{"id":"no","segmentMembership":{{"ups":{{"o":{{"status":{key}}}}}}}}}',
                   f'{{"id":"no","segmentMembership":{{"aam":{{{key}:{{"status":"realized"}}}}}}}}',
                   f'{{"id":"no","identityMap":{{"ups":{{{key}:{{"status":"realized"}}}}}}}}']
        lines = [line for pair in zip(inside + inside[:1], outside) for line in pair]
        for flags in (["--threads", "2", "--shard-size", "30"], ["--walk", "on-demand"]):
            ended = world.export({"segments": {"ids": [segment]}, "files": {"name": "x.csv"}}, "\n".join(lines).encode(), *flags)
            have = ended.files.get("x.csv", b"").decode().split("\n")[1:-1]
            check(have == ["0,", "1,", "2,", "3,", "0,"], f"segment {segment!r}: rows {have}")


def units_of(text):
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[i:i + 2], "big") for i in range(0, len(raw), 2)]


def case_consent_counts_add_up(world):
    """The first rule that is not met is charged; the report has a count for each rule."""
    lines = ['{"id":"%d","m":%s,"s":%s}' % (n, m, s) for n, (m, s) in enumerate(
        [('"y"', '"y"'), ('"n"', '"y"'), ('"y"', '"n"'), ('"n"', '"n"'), ('null', '"y"'), ('"y"', 'null')])]
    spec = {"consent": {"require": [{"path": "m", "allow": ["y", "dy"]}, {"path": "s", "allow": ["y"], "missing": "allow"}]},
            "files": {"name": "x.csv"}}
    ended = world.export(spec, "\n".join(lines).encode())
    check(ended.files["x.csv"] == b"CustomerID,A\n0,\n5,\n", f"{ended.files['x.csv']!r}")
    check(skipped(ended) == {"consent": 4}, f"skipped: {skipped(ended)}")
    text = json.dumps(ended.report).replace(" ", "")
    check("consent" in text.replace('"consent":4', "", 1).lower(), "no counts per rule in the report")
