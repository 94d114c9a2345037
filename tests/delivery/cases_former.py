"""if_exists: replace over a delivery of other names, or of more files: whatever it was, no token stands over data files
of another delivery, what a former manifest names goes with it, and nothing else is touched."""
import os
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree

from world import RUN, Failed, check

OTHERS = ("notes.txt", "acme_0009.csv", "other.xml", ".hidden.csv", "acme.xml.bak", "table.parquet")


def dump(rows, mark):
    return "".join(f'{{"id":"{mark}{i}","a":"{mark}"}}\n' for i in range(rows)).encode()


def spec(pega, name="{name}_{part}.csv", **more):
    found = {"destination": {"if_exists": "replace"}, "files": {"name": name, "max_rows": 500}, **more}
    return found if pega is None else {**found, "pega": {"manifest": "{name}.xml", **pega}}


class Place:
    """A folder that several runs deliver to, one after the other; each run's rows hold its own letter."""

    def __init__(self, world, to="out"):
        self.world, self.folder, self.to = world, world.place(), to
        self.out = os.path.join(self.folder, "out")
        self.runs = 0

    def run(self, rows, job, status=0, words=()):
        self.runs += 1
        source = self.world.write(self.folder, f"dump{self.runs}.ndjson", dump(rows, chr(ord("A") + self.runs - 1)))
        self.world.job(self.folder, job)
        found, _, stderr = self.world.command(["export", "-j", "job.json", source, "--to", self.to, *RUN[:2],
                                               "--progress", "none", "--report", "report.json"], self.folder)
        check(found == status, f"run {self.runs} ended with {found}, not {status}: {stderr.strip()[-600:]}")
        for word in words:
            check(word in stderr, f"run {self.runs} does not say '{word}': {stderr.strip()[-600:]}")
        return stderr

    def names(self):
        return sorted(os.path.relpath(os.path.join(at, name), self.out)
                      for at, _, names in os.walk(self.out) for name in names)

    def expect(self, *names):
        check(self.names() == sorted(names), f"there are {self.names()}, not {sorted(names)}")

    def put(self, name, content=b""):
        os.makedirs(os.path.dirname(os.path.join(self.out, name)), exist_ok=True)
        return self.world.write(self.out, name, content)


def data(count, end=""):
    return [f"acme_{part:04d}.csv{end}" for part in range(1, count + 1)]


def manifest(*names):
    files = "".join(f"<file><name>{name}</name><recordCount>1</recordCount></file>" for name in names)
    return f"<manifest><totalRecordCount>{len(names)}</totalRecordCount><files>{files}</files></manifest>".encode()


def foreign(place):
    """What is nobody's business, and its content."""
    for name in OTHERS:
        place.put(name, manifest("else.csv") if name == "other.xml" else name.encode())
    place.put("other.xml.TOK")
    place.put("acme.empty")
    return [*OTHERS, "other.xml.TOK"]


def case_former_fewer_files(world):
    """Fewer files than before: the former ones go, with their tokens, for each kind of token."""
    for pega, tokens in (({}, lambda n: ["acme.xml.TOK"]),
                         ({"token": {"per": "file"}}, lambda n: data(n, ".TOK")),
                         ({"token": {"per": "file", "replace_extension": True}},
                          lambda n: [name.replace(".csv", ".TOK") for name in data(n)]),
                         ({"token": {"per": "none"}}, lambda n: []),
                         ({"path_prefix": "CustomerData/"}, lambda n: ["acme.xml.TOK"])):
        place = Place(world)
        place.run(2000, spec(pega))
        place.expect("acme.xml", *data(4), *tokens(4))
        place.run(900, spec(pega))
        place.expect("acme.xml", *data(2), *tokens(2))


def case_former_nothing_left(world):
    """A run without rows over one that had some; and a segment of a split run that becomes empty."""
    place = Place(world)
    place.run(2000, spec({}))
    place.run(1, spec({}, consent={"require": [{"path": "b", "allow": ["y"], "missing": "deny"}]}))
    place.expect("acme.xml", "acme.xml.TOK")
    ids = ["s1", "s2"]
    split = spec({"token": {"per": "file"}}, segments={"ids": ids, "split": True})
    place = Place(world, to="out/{segment_id}/")
    for members in (("s1", "s2"), ("s2",)):
        lines = "".join(f'{{"id":"{i}","a":"x","segmentMembership":{{"ups":{{"{members[i % len(members)]}":'
                        '{"status":"realized"}}}}\n' for i in range(1800))
        source = world.write(place.folder, "members.ndjson", lines)
        world.job(place.folder, split)
        status, _, stderr = world.command(["export", "-j", "job.json", source, "--to", place.to, *RUN], place.folder)
        check(status == 0, f"ended with {status}: {stderr.strip()[-500:]}")
    place.expect("s1/acme.xml", "s2/acme.xml", *(f"s2/{name}" for name in data(4) + data(4, ".TOK")))


def case_former_other_names(world):
    """Manifest or token of another name before, or none now: nothing of the former delivery stays visible."""
    jobs = {"plain": spec(None), "usual": spec({}), "suffix": spec({"token": {"suffix": ".DONE"}}),
            "stem": spec({"token": {"suffix": ".ok", "replace_extension": True}}),
            "odd": spec({"token": {"suffix": "_READY"}}),
            "file": spec({"token": {"per": "file"}}), "renamed": spec({"manifest": "{name}_all.xml"}),
            "manifest": spec({"manifest": "{name}.manifest"}), "none": spec({"token": {"per": "none"}})}
    usual = {"plain": [], "usual": ["acme.xml", "acme.xml.TOK"], "suffix": ["acme.xml", "acme.xml.DONE"],
             "stem": ["acme.xml", "acme.ok"], "odd": ["acme.xml", "acme.xml_READY"],
             "file": ["acme.xml", *data(2, ".TOK")], "renamed": ["acme_all.xml", "acme_all.xml.TOK"],
             "manifest": ["acme.manifest", "acme.manifest.TOK"], "none": ["acme.xml"]}
    for before, job in jobs.items():
        for after in jobs:
            if before in ("plain", after):
                continue  # nothing to go by
            place = Place(world)
            others = foreign(place)
            os.remove(os.path.join(place.out, "acme.empty"))
            place.run(1500, job)
            place.run(900, jobs[after])
            try:
                place.expect(*usual[after], *data(2), *others)
            except Failed as wrong:
                raise Failed(f"{before}, then {after}: {wrong}") from None


def case_former_hostile(world):
    """Manifests that name what is not theirs: nothing outside of the folder, nor anything that they can't know."""
    place = Place(world)
    outside = world.write(place.folder, "outside.csv", b"outside")
    place.put("sub/inner.csv", b"inner")
    place.put("linked_target.csv", b"target")
    names = ["acme_0001.csv", "../outside.csv", outside, "sub/inner.csv", ".", "..", "", "sub", ".hidden.csv", "other.xml",
             "link.csv", "fifo.csv", "x/../linked_target.csv", "a" * 300, "gone.csv"]
    place.put("old.xml", manifest(*(name for name in names if name)))
    place.put("other.xml", manifest("else.csv"))
    place.put("other.xml.TOK")
    place.put(".hidden.csv", b"hidden")
    place.put("old.xml.TOK")
    os.symlink("../outside.csv", os.path.join(place.out, "link.csv"))
    os.mkfifo(os.path.join(place.out, "fifo.csv"))
    os.mkfifo(os.path.join(place.out, "fifo.xml"))
    os.symlink("nowhere.xml", os.path.join(place.out, "dangling.xml"))
    os.symlink("/dev/zero", os.path.join(place.out, "zero.xml"))
    os.mkdir(os.path.join(place.out, "folder.xml"))
    place.run(100, spec({}), words=("old.xml",))
    place.expect("acme.xml", "acme.xml.TOK", "acme_0001.csv", "sub/inner.csv", "linked_target.csv", "other.xml", "other.xml.TOK",
                 ".hidden.csv", "fifo.csv", "fifo.xml", "dangling.xml", "zero.xml")
    check(os.path.exists(outside), "a file outside of the folder is gone")


def case_former_no_manifests(world):
    """What ends in .xml and is none is passed by; what is one and can't be read ends the run before it touches anything."""
    for content in (b"", b"no XML", b"<html/>", b"<other><manifest/></other>", b"x" * (40 << 20), b"<other>" + b" " * (40 << 20)):
        place = Place(world)
        place.put("strange.xml", content)
        place.run(900, spec({}))
        place.expect("acme.xml", "acme.xml.TOK", "strange.xml", *data(2))
    huge = b"<manifest>" + b" " * (40 << 20)
    for content in (b"<manifest><files>", b"<manifest>" + b"<x>" * 100, huge,
                    b'<!DOCTYPE m [<!ENTITY a "b">]><manifest>&a;</manifest>'):
        place = Place(world)
        place.run(900, spec({}))
        place.put("strange.xml", content)
        before = [(name, os.stat(os.path.join(place.out, name)).st_ino) for name in place.names()]
        place.run(800, spec({}), status=78, words=("strange.xml", "remove it"))
        check(before == [(name, os.stat(os.path.join(place.out, name)).st_ino) for name in place.names()],
              "a run that was refused changed something")
        os.rename(os.path.join(place.out, "strange.xml"), os.path.join(place.out, "acme.xml"))  # the run's own name: replaced
        place.run(400, spec({}), words=("acme.xml", "can't be read"))
        check("acme.xml.TOK" in place.names(), f"there are {place.names()}")


def case_former_shared_files(world):
    """Two deliveries in one folder: the other one stays whole, what both name stays too."""
    place = Place(world)
    place.run(2000, spec({}))
    place.put("shared.xml", manifest("acme_0004.csv", "more.csv"))
    place.put("shared.xml.TOK")
    place.put("acme.shared.xml", manifest("more.csv"))
    place.put("acme.shared.xml.TOK")
    place.put("more.csv", b"more")
    stays = ["shared.xml", "shared.xml.TOK", "acme.shared.xml", "acme.shared.xml.TOK", "more.csv"]
    place.run(900, spec({}))
    place.expect("acme.xml", "acme.xml.TOK", *data(2), "acme_0004.csv", *stays)


def case_former_manifests_of_any_extension(world):
    """A manifest is known by its content: the former one goes with its token, another delivery keeps its own."""
    place = Place(world)
    place.run(1500, spec({"manifest": "MANIFEST", "token": {"suffix": ".DONE"}}))
    place.run(900, spec({"manifest": "{name}.of", "token": {"suffix": "_OK"}}))
    place.expect("acme.of", "acme.of_OK", *data(2))
    place = Place(world)
    others = ["acme.o_0001.csv", "acme.account.manifest", "acme.account.manifest.TOK", "acme.account.TOK", "notes.txt"]
    for name in others:
        place.put(name, manifest("acme.o_0001.csv") if name.endswith(".manifest") else b"" if "TOK" in name else b"x")
    for rows in (1500, 900):
        place.run(rows, spec({}))
        place.expect("acme.xml", "acme.xml.TOK", *data(2 if rows == 900 else 3), *others)
    place.put("picture.bin", b"\0\1\2\3" * 100000)
    place.put("flag", b"\n")
    place.run(400, spec({}))
    place.expect("acme.xml", "acme.xml.TOK", *data(1), *others, "picture.bin", "flag")


def case_former_other_prefix(world):
    """Files that the former manifest names under another prefix are left, and it says so; no token stays beside them."""
    place = Place(world)
    place.run(2000, spec({"path_prefix": "Old/", "token": {"per": "file"}}))
    place.run(900, spec({"path_prefix": "New/"}), words=("acme.xml", "path_prefix"))
    place.expect("acme.xml", "acme.xml.TOK", *data(4))


def case_former_times_in_names(world):
    """Data files with {run_time}, a manifest without: its former data files go; with both, other runs' deliveries stay."""
    for name, left in (("{name}.xml", False), ("{name}_{run_time}.xml", True)):
        place = Place(world)
        job = spec({"manifest": name}, name="{name}_{run_time}_{part}.csv")
        place.run(900, job)
        before = place.names()
        world.job(place.folder, job)
        source = world.write(place.folder, "later.ndjson", dump(400, "L"))
        status, _, stderr = world.command(["export", "-j", "job.json", source, "--to", "out", "--run-time",
                                           "2026-11-23T03:00:00Z", "--progress", "none"], place.folder)
        check(status == 0, f"ended with {status}: {stderr.strip()[-500:]}")
        later = "_20261123T030000Z"
        new = [f"acme{later}_0001.csv", f"acme{later if left else ''}.xml", f"acme{later if left else ''}.xml.TOK"]
        place.expect(*new, *(before if left else []))


def case_former_two_folders(world):
    """A run that names other folders touches nothing in those it does not write to."""
    place = Place(world)
    place.run(900, spec({}))
    place.put("sub/deep/old.xml", manifest("acme_0001.csv"))
    place.put("sub/deep/old.xml.TOK")
    place.put("sub/deep/acme_0001.csv", b"x")
    place.run(400, spec({}))
    place.expect("acme.xml", "acme.xml.TOK", "acme_0001.csv", "sub/deep/old.xml", "sub/deep/old.xml.TOK",
                 "sub/deep/acme_0001.csv")


def case_former_killed_in_the_midst(world):
    """A run that was killed between the former manifest and its own: the next one knows all the same what is surplus."""
    place = Place(world)
    place.run(2000, spec({}))
    os.rename(os.path.join(place.out, "acme.xml"), os.path.join(place.out, ".acme.xml.dead.old"))
    os.rename(os.path.join(place.out, "acme.xml.TOK"), os.path.join(place.out, ".acme.xml.TOK.dead.old"))
    place.run(900, spec({}), words=("holds 2 unfinished files",))
    place.expect("acme.xml", "acme.xml.TOK", *data(2), ".acme.xml.TOK.dead.old")


def case_former_killed_with_times_in_names(world):
    """The same with {run_time} in names of data files, so that no name is taken, and run ids with dots."""
    for run_id in ("dead", "x.y", "2026.csv"):
        place = Place(world)
        job = spec({}, name="{name}_{run_time}_{part}.csv")
        place.run(900, job)
        for name in ("acme.xml", "acme.xml.TOK"):
            os.rename(os.path.join(place.out, name), os.path.join(place.out, f".{name}.{run_id}.old"))
        source = world.write(place.folder, "later.ndjson", dump(400, "L"))
        status, _, stderr = world.command(["export", "-j", "job.json", source, "--to", "out", "--run-time",
                                           "2026-11-23T03:00:00Z", "--progress", "none"], place.folder)
        check(status == 0, f"ended with {status}: {stderr.strip()[-500:]}")
        place.expect("acme_20261123T030000Z_0001.csv", "acme.xml", "acme.xml.TOK", f".acme.xml.TOK.{run_id}.old")


# ---- two runs at once ----

def generation_of(path):
    with open(path, encoding="utf-8") as file:
        letters = {line.rsplit(",", 1)[1].strip() for line in file.read().splitlines()[1:]}
    check(len(letters) == 1, f"{path} holds rows of {letters}")
    return letters.pop()


def whole(out):
    """Of which run is the delivery that stands? None: no token stands."""
    if not os.path.exists(os.path.join(out, "acme.xml.TOK")):
        return None
    names = [e.text for e in xml.etree.ElementTree.parse(os.path.join(out, "acme.xml")).iter("name")]
    found = {generation_of(os.path.join(out, name)) for name in names}
    check(len(found) == 1, f"a token stands over data files of {found}")
    surplus = [n for n in os.listdir(out) if n.endswith(".csv") and not n.startswith(".") and n not in names]
    check(not surplus, f"beside the delivery are {surplus}")
    return found.pop()


class Watcher(threading.Thread):
    """Looks again and again: a token that stood before and behind a look stood during it."""

    def __init__(self, out):
        super().__init__()
        self.out, self.ended, self.wrong, self.looks = out, threading.Event(), None, 0

    def token(self):
        try:
            found = os.stat(os.path.join(self.out, "acme.xml.TOK"))
            return found.st_ino, found.st_ctime_ns
        except FileNotFoundError:
            return None

    def run(self):
        while not self.ended.is_set():
            before = self.token()
            if before is None:
                continue
            try:
                names = [e.text for e in xml.etree.ElementTree.parse(os.path.join(self.out, "acme.xml")).iter("name")]
                found = {generation_of(os.path.join(self.out, name)) for name in names}
                problem = None if len(found) == 1 else f"data files of {found}"
            except (FileNotFoundError, xml.etree.ElementTree.ParseError, IndexError, Failed) as error:
                problem = str(error)
            self.looks += 1
            if problem is not None and self.token() == before:
                self.wrong = problem
                return


def case_former_two_runs_at_once(world):
    """Runs that replace one delivery at the same time: one after the other, and never a token over a mixture."""
    place = Place(world)
    place.run(3000, spec({}))
    world.job(place.folder, spec({}))
    sources = [world.write(place.folder, f"at_once{i}.ndjson", dump(3000 - 500 * i, "BCD"[i])) for i in range(3)]
    watcher = Watcher(place.out)
    watcher.start()
    found = []

    def run(source):
        found.append(world.command(["export", "-j", "job.json", source, "--to", "out", *RUN[:2], "--progress", "none"],
                                   place.folder))

    try:
        for turn in range(25):
            threads = [threading.Thread(target=run, args=(sources[(turn + i) % 3],)) for i in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            check(whole(place.out) is not None, f"after turn {turn} no token stands: {found[-2:]}")
            hidden = [name for name in place.names() if name.startswith(".")]
            check(not hidden, f"after turn {turn} there are {hidden}")
    finally:
        watcher.ended.set()
        watcher.join()
    check(watcher.wrong is None, f"a token stood over a mixture: {watcher.wrong}")
    check(watcher.looks > 0, "the watcher saw no delivery")
    check(all(status == 0 for status, _, _ in found), f"ended with {[f for f in found if f[0]][:1]}")


def case_former_locked_folder(world):
    """Another run that does not end: this one says so, and leaves all as it was."""
    import fcntl
    place = Place(world)
    place.run(900, spec({}))
    before = place.names()
    handle = os.open(place.out, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        place.run(400, spec({}), status=75, words=("another", "run again"))
        check(place.names() == before and whole(place.out) == "A", f"there are {place.names()}")
    finally:
        os.close(handle)
    place.run(400, spec({}))
    check(whole(place.out) == "C", "the run behind it did not deliver")


def case_former_stopped_at_the_lock(world):
    """A signal while the run waits for another one: it ends in order, and nothing is delivered."""
    import fcntl
    place = Place(world)
    place.run(900, spec({}))
    before = place.names()
    source = world.write(place.folder, "stopped.ndjson", dump(400, "S"))
    handle = os.open(place.out, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            run = subprocess.Popen([world.binary, "export", "-j", "job.json", source, "--to", "out", *RUN], cwd=place.folder,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            while not any(name.startswith(".acme.xml.TOK.") for name in place.names()) and run.poll() is None:
                time.sleep(0.01)  # the last file that it writes before it waits
            run.send_signal(number)
            stderr = run.communicate(timeout=60)[1].decode()
            check(run.returncode == status, f"ended with {run.returncode}, not {status}: {stderr.strip()[-500:]}")
            check("signal" in stderr or "SIG" in stderr, f"it does not say why: {stderr}")
            check(place.names() == before and whole(place.out) == "A", f"there are {place.names()}")
    finally:
        os.close(handle)


def case_former_tokens_without_a_dot(world):
    """A suffix without a dot in place of the extension: no later run could know the token, so replace refuses it."""
    for token, status in (({"suffix": "READY", "per": "file", "replace_extension": True}, 78),
                          ({"suffix": "READY", "replace_extension": True}, 78),
                          ({"suffix": ".READY", "replace_extension": True}, 0),
                          ({"suffix": "READY", "per": "none", "replace_extension": True}, 0),
                          ({"suffix": "READY"}, 0)):
        place = Place(world)
        place.run(400, spec({"token": token}), status, words=("pega.token.suffix", "dot") if status else ())
        check(status == 0 or not os.path.exists(place.out) or not place.names(), "something was written")
    world.export({"pega": {"token": {"suffix": "READY", "replace_extension": True}}}, dump(10, "A"))
