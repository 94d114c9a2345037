"""identity.deduplicate: latest, against a model made of `sort`."""
import datetime
import random

from world import PROFILE_COLUMNS, PROFILE_IDENTITY, check, record_summary, skipped, tool

BASE = 1748990839000000  # 2025-06-03T22:47:19Z in microseconds
DAY = 86400 * 10**6
SPEC = {"identity": {"column": "Key", "paths": ["key"], "deduplicate": "latest", "timestamp": "seen"},
        "columns": [{"name": "Line", "path": "line"}], "files": {"name": "{name}.csv"}}


def text_of(micros, r):
    """One of the spellings of a time, with all its digits."""
    if micros % 1000 == 0 and r.random() < 0.2:
        return str(micros // 1000)
    seconds, fraction = divmod(micros, 10**6)
    offset, zones = r.choice([(0, ["Z", "z", "+00:00", "-0000", ""]), (7200, ["+02:00", "+0200"]), (-12600, ["-03:30"])])
    days, rest = divmod(seconds + offset, 86400)
    date = (datetime.date(1970, 1, 1) + datetime.timedelta(days)).isoformat()
    digits = f".{fraction:06d}".rstrip("0") if fraction else r.choice(["", ".0", ".000000000"])
    return f'"{date}{r.choice("Tt ")}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}{digits}{r.choice(zones)}"'


def dump_of(count, keys, seed):
    """(the dump, lines for sort: key, has a time, microseconds, number)"""
    r = random.Random(seed)
    dump, table = [], []
    for number in range(count):
        key = f"k{r.randrange(keys)}"
        pick = r.random()
        micros = BASE + r.choice([0, 1, -1, 1000, -1000, 412000, DAY, -DAY, r.randrange(-DAY, DAY)])
        seen = "" if pick < 0.05 else ',"seen":null' if pick < 0.08 else ',"seen":""' if pick < 0.1 else None
        has_time = seen is None
        if has_time:
            seen = ',"seen":' + text_of(micros, r)
        dump.append(f'{{"line":{number},"key":"{key}"{seen}}}')
        table.append(f"{key}\t{int(has_time)}\t{micros if has_time else 0}\t{number}")
    return ("\n".join(dump) + "\n").encode(), ("\n".join(table) + "\n").encode()


def kept_by_sort(table):
    """The numbers of the records that stay, ascending: of each key the last by time, then by place."""
    ordered = tool(["sort", "-t", "\t", "-k1,1", "-k2,2n", "-k3,3n", "-k4,4n"], data=table).decode().splitlines()
    last = {}
    for line in ordered:
        key, _, _, number = line.split("\t")
        last[key] = int(number)
    return sorted(last.values())


def against_sort(world, count, keys, seed, runs):
    dump, table = dump_of(count, keys, seed)
    want = kept_by_sort(table)
    for flags in runs:
        ended = world.export(SPEC, dump, *flags)
        rows = ended.files["acme.csv"].decode().splitlines()[1:]
        have = [int(row.split(",")[1]) for row in rows]
        if have != want:
            wrong = sorted(set(have) ^ set(want))[:3]
            named = [line for line in table.decode().splitlines() if int(line.rsplit("\t", 1)[1]) in wrong]
            check(False, f"{' '.join(flags)}: {len(have)} rows, {len(want)} by sort; first differences: {named} "
                         f"{'(same rows in another order)' if sorted(have) == want else ''}")
        check(skipped(ended) == {"duplicate": count - len(want)}, f"skipped: {skipped(ended)}")


def case_latest_against_sort(world):
    against_sort(world, 4000, 900, 1, [["--threads", "1"], ["--threads", "2", "--shard-size", "3000"],
                                       ["--threads", "8", "--shard-size", "500", "--input-mode", "mmap"],
                                       ["--threads", "3", "--shard-size", "1", "--walk", "on-demand"]])
    against_sort(world, 3000, 1, 2, [["--threads", "3", "--shard-size", "700"]])


def case_latest_against_sort_large(world):
    against_sort(world, 120000, 50000, 3, [["--threads", "2"], ["--threads", "5", "--shard-size", "65536"]])


def case_latest_of_profiles(world):
    """profilegen says by its own rule who is repeated: as many rows as ids."""
    source = world.dump(6000, "--duplicates", "0.4")
    with open(source, encoding="utf-8") as dump:
        ids = {line.split('"customerid":[{"id":"')[1].split('"')[0] for line in dump}
    spec = {"identity": {**PROFILE_IDENTITY, "deduplicate": "latest"}, "columns": PROFILE_COLUMNS}
    first = None
    for flags in (["--threads", "1"], ["--threads", "4", "--shard-size", "20000"]):
        ended = world.export(spec, source, *flags)
        check(record_summary(ended)["outputRowCount"] == len(ids), f"{record_summary(ended)} for {len(ids)} ids")
        check(first is None or ended.files == first, "other bytes with other threads")
        first = ended.files


def case_latest_in_little_memory(world):
    """Rows wait until all of the input was seen: in memory, then on disk. The limit does not show in the output."""
    spec = {**SPEC, "source": {"max_record": "64KiB"}}
    dump, _ = dump_of(60000, 20000, 4)
    first = world.export(spec, dump, "--threads", "2").files
    for limit in ("256MiB", "48MiB", "24MiB"):
        ended = world.export(spec, dump, "--threads", "2", "--memory-limit", limit)
        check(ended.files == first, f"other bytes with --memory-limit {limit}")


def case_latest_leaves_no_spool(world):
    """What was kept aside is gone when the budget is passed."""
    dump, _ = dump_of(20000, 5000, 5)
    ended = world.export(SPEC, dump + b"{broken\n", status=65)
    check(not ended.files, f"left behind: {sorted(ended.files)}")


def case_latest_and_what_fails_behind_it(world):
    """A loser is a duplicate even if it had no consent; a winner without one keeps its key from the older record."""
    lines = [b'{"line":0,"key":"a","seen":2,"ok":"y"}', b'{"line":1,"key":"a","seen":1,"ok":"n"}',
             b'{"line":2,"key":"b","seen":1,"ok":"y"}', b'{"line":3,"key":"b","seen":2,"ok":"n"}',
             b'{"line":4,"key":"c","seen":1,"ok":"y"}', b'{"line":5,"key":"c","seen":2,"ok":"y","when":"never"}',
             b'{"line":6,"key":"d","seen":2,"ok":"y"}', b'{"line":7,"key":"d","seen":1,"ok":"y","when":"never"}',
             b'{"line":8,"seen":9,"ok":"y"}']
    spec = {**SPEC, "consent": {"require": [{"path": "ok", "allow": ["y"]}]}, "rejects": {"max": 10},
            "columns": [{"name": "Line", "path": "line"}, {"name": "When", "path": "when", "type": "timestamp"}]}
    ended = world.export(spec, b"\n".join(lines), "--threads", "2", "--shard-size", "40")
    check(ended.files["acme.csv"] == b"Key,Line,When\na,0,\nd,6,\n", f"{ended.files['acme.csv']!r}")
    check(skipped(ended) == {"duplicate": 4, "consent": 1}, f"skipped: {skipped(ended)}")
    failed = {k: v for k, v in record_summary(ended)["failedByReason"].items() if v}
    check(failed == {"bad_timestamp": 1, "missing_identity": 1}, f"failed: {failed}")


def case_latest_budget_in_input_order(world):
    """The run stops at the (N+1)th failed record in input order, also when failures behind `deduplicate` are among them."""
    lines = []
    for number in range(60):
        bad = b',"when":"never"' if number % 10 == 9 else b""
        lines.append(b'{"line":%d,"key":"k%d","seen":1%s}' % (number, number, bad))
    spec = {**SPEC, "rejects": {"max": 2}, "columns": [{"name": "Line", "path": "line"},
                                                       {"name": "When", "path": "when", "type": "timestamp"}]}
    for threads in ("1", "4"):
        ended = world.export(spec, b"\n".join(lines), "--threads", threads, "--shard-size", "100", status=65)
        check(record_summary(ended)["failedRecordCount"] == 3, f"{record_summary(ended)}")
        check(not ended.files, f"left behind: {sorted(ended.files)}")
