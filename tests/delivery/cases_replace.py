"""if_exists: replace in a directory, and what a run that was killed leaves."""
import json
import os
import signal
import subprocess
import time

from world import RUN, WANTED, check, common

OTHER = "11111111-2222-4333-8444-555555555555"
SPLIT = {"files": {"name": "{part}.csv", "max_rows": 700}, "pega": {"manifest": "{segment_id}.xml"}}


def split_dump():
    """Members of two segments in turn."""
    return "".join(json.dumps({"id": f"C{i}", "a": "x" * 500,
                               "segmentMembership": {"ups": {(WANTED, OTHER)[i % 2]: {"status": "realized"}}}}) + "\n"
                   for i in range(3000)).encode()


def hidden_in(folder):
    return sorted(name for name in stored(folder) if os.path.basename(name).startswith("."))


def spec(**destination):
    return {**SPLIT, "segments": {"ids": [WANTED, OTHER], "split": True},
            "destination": {"url": "out/{segment_id}/", **destination}}


def stored(folder):
    """{path below the folder: content}, hidden names too."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def rerun(world, ended, source, status, *flags, **destination):
    folder = os.path.dirname(ended.folder)
    world.job(folder, spec(**destination))
    found, _, stderr = world.command(["export", "-j", "job.json", source, *RUN, *flags], folder)
    check(found == status, f"ended with {found}, not {status}: {stderr.strip()[-500:]}")
    return stderr


def case_replace_split(world):
    """Deliveries of a split run replace former ones; nothing is left beside them."""
    dump = split_dump()
    ended = world.export(spec(), dump, to=None)
    folder = ended.folder
    before = stored(folder)
    check(f"{WANTED}/{WANTED}.xml.TOK" in before and f"{OTHER}/{OTHER}.xml" in before, f"there are {sorted(before)}")
    rerun(world, ended, "dump.ndjson", 73)
    check(stored(folder) == before, "a run that may not replace changed something")
    rerun(world, ended, "dump.ndjson", 0, if_exists="replace")
    check(stored(folder) == before, "the same run over itself gives other files")
    # a run that fails at its end (a file in the way of a manifest) leaves all as it was
    os.remove(os.path.join(folder, OTHER, OTHER + ".xml"))
    os.mkdir(os.path.join(folder, OTHER, OTHER + ".xml"))
    before = stored(folder)
    rerun(world, ended, "dump.ndjson", 78, if_exists="replace")
    check(stored(folder) == before, "a run that failed changed something")


def case_replace_after_kill(world):
    """kill -9 at any moment, then the same run: 73 says what to do, and with replace the delivery is whole."""
    dump = split_dump()
    ended = world.export(spec(), dump, to=None)
    whole = stored(ended.folder)
    folder = os.path.dirname(ended.folder)
    for wait in (0.0, 0.004, 0.02, 0.05):
        world.job(folder, spec(if_exists="replace"))
        process = subprocess.Popen([world.binary, "export", "-j", "job.json", "dump.ndjson", *RUN[:2], "--run-id", "dead"],
                                   cwd=folder, env=common.clean_environment(), stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = hidden_in(ended.folder)
        said = rerun(world, ended, "dump.ndjson", 0, if_exists="replace")
        check((f"holds {len(left)} unfinished file" in said) == bool(left), f"of {left} it says: {said}")
        hidden = hidden_in(ended.folder)  # without former manifests, when it was killed in the exchange: they are replaced
        check(set(hidden) <= {name for name in left if not name.endswith(".xml.dead.old")}, f"of {left} stay {hidden}")
        status, _, told = world.command(["check", "-j", "job.json", "dump.ndjson"], folder)
        check(status == 0 and (".dead." in told) == bool(hidden), f"of {hidden} check says: {told}")
        visible = {name: data for name, data in stored(ended.folder).items() if not os.path.basename(name).startswith(".")}
        check(visible == whole, f"after kill -9 and the same run there are {sorted(visible)}")
    for name in whole:  # as if it had been killed between the data files and the manifests
        if not name.endswith(".csv"):
            os.remove(os.path.join(ended.folder, name))
    said = rerun(world, ended, "dump.ndjson", 73)
    for word in ("0001.csv: exists already", "killed run", "if_exists: replace"):
        check(word in said, f"the message does not say '{word}': {said.strip()[-500:]}")
    rerun(world, ended, "dump.ndjson", 0, if_exists="replace")


def case_replace_verified_by_report(world):
    """One report of several deliveries: each manifest is verified with its own files, and damage is told of its own."""
    ended = world.export(spec(), split_dump(), to=None)
    folder = os.path.dirname(ended.folder)
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
        report = json.load(file)
    check(sum(entry["kind"] == "manifest" for entry in report["files"]) == 2, f"the report: {report['files']}")
    for segment in (WANTED, OTHER):
        files = [e for e in report["files"] if f"{segment}/" in e["url"] and e["kind"] == "data"]
        status, out, stderr = world.command(["verify", "--report", "report.json", f"out/{segment}/{segment}.xml"], folder)
        check(status == 0 and out.startswith(f"verified: {len(files)} files, {sum(e['rows'] for e in files)} rows"),
              f"{segment}: ended with {status}: {out} {stderr}")
    damaged = os.path.join(folder, "out", OTHER, "0001.csv")
    with open(damaged, "r+b") as file:
        file.seek(-3, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(b"x" if byte != b"x" else b"y")
    for segment, wanted in ((WANTED, 0), (OTHER, 74)):
        status, out, _ = world.command(["verify", "--report", "report.json", f"out/{segment}/{segment}.xml"], folder)
        check(status == wanted and ("crc64nvme" in out) == (wanted == 74), f"{segment}: ended with {status}: {out}")
