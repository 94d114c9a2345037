"""What the cases share: the programs, scratch folders, jobs and dumps, and runs with what they left."""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "property"))
import common  # noqa: E402  (its folder is only known now)

TIMEOUT = 300  # seconds: whatever takes this long hangs, also on a busy machine
RUN = ["--run-time", common.RUN_TIME, "--run-id", common.RUN_ID, "--progress", "none"]
WANTED = "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae"  # the segment that profilegen puts into 1 of 17 records as a member
PROFILE_COLUMNS = [{"name": "FirstName", "path": "person.name.firstName"},
                   {"name": "LastName", "path": "person.name.lastName"},
                   {"name": "Email", "path": "personalEmail.address"},
                   {"name": "Street", "path": "homeAddress.street1"},
                   {"name": "City", "path": "homeAddress.city"},
                   {"name": "Points", "path": "_acme.loyalty.points"},
                   {"name": "ModifiedAt", "path": "_repo.modifyDate", "type": "timestamp"},
                   {"name": "Tags", "path": "_acme.tags[*]"}]
PROFILE_IDENTITY = {"column": "CustomerID", "paths": ["identityMap.CustomerID"]}


class Failed(Exception):
    """What a case found wrong, as a sentence."""


def check(condition, sentence):
    if not condition:
        raise Failed(sentence)


def tool(command, data=None, status=0):
    """Runs somebody else's program; its standard output as bytes."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
                          check=False, env={**os.environ, "LC_ALL": "C"})
    check(done.returncode == status, f"{' '.join(command)[:200]} ended with {done.returncode}, not {status}: "
                                     f"{(done.stderr or done.stdout).decode('utf-8', 'replace').strip()[-400:]}")
    return done.stdout


class Ended:
    """A run that ended: status, standard error, what lies in its destination, its report."""

    def __init__(self, command, status, stderr, stdout, folder, report):
        self.command, self.status, self.stderr, self.stdout, self.folder = command, status, stderr, stdout, folder
        self.files = common.read_folder(folder)
        self.report = report

    def data_names(self):
        return sorted(name for name in self.files if name.endswith((".csv", ".csv.gz", ".csv.zst")))

    def manifest(self, name=None):
        """(process type, total, [(name, size, count)]) of the one manifest, or of that one."""
        name = name or next(n for n in self.files if n.endswith(".xml"))
        return parsed_manifest(self.files[name])


def parsed_manifest(content):
    root = xml.etree.ElementTree.fromstring(content)
    return (root.findtext("processType"), int(root.findtext("totalRecordCount")),
            [(f.findtext("name"), int(f.findtext("size")), int(f.findtext("recordCount"))) for f in root.iter("file")])


class World:
    def __init__(self, binary, profilegen, scratch):
        self.binary, self.profilegen, self.scratch = binary, profilegen, scratch
        self.count = 0
        self.dumps = {}

    def place(self, name=""):
        """A new empty folder."""
        self.count += 1
        path = os.path.join(self.scratch, f"{self.count:03d}{name}")
        os.makedirs(path)
        return path

    def dump(self, rows, *flags):
        """The path of profilegen's dump with these options; made once."""
        key = (rows, *flags)
        if key not in self.dumps:
            path = os.path.join(self.scratch, f"dump{len(self.dumps)}.ndjson")
            tool([self.profilegen, "--rows", str(rows), "--out", path, *flags])
            self.dumps[key] = path
        return self.dumps[key]

    def write(self, folder, name, content):
        path = os.path.join(folder, name)
        with open(path, "wb") as written:
            written.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    def job(self, folder, spec):
        """JSON is YAML. A column is wanted and an identity; the rest as given."""
        spec = {"name": "acme", "identity": {"column": "CustomerID", "paths": ["id"]},
                "columns": [{"name": "A", "path": "a"}], **spec}
        return self.write(folder, "job.json", json.dumps(spec, ensure_ascii=False, indent=1))

    def command(self, arguments, folder):
        done = subprocess.run([self.binary, *arguments], cwd=folder, env=common.clean_environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
                              check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def export(self, spec, source, *flags, status=0, files=None, to="out"):
        """`source`: a path, or the lines of a dump (bytes). `files`: {name: content} to stand beside the job."""
        folder = self.place()
        for name, content in (files or {}).items():
            self.write(folder, name, content)
        if isinstance(source, bytes):
            source = self.write(folder, "dump.ndjson", source)
        arguments = ["export", "-j", self.job(folder, spec), source, "--report", "report.json", *RUN, *flags]
        arguments += ["--to", to] if to else []
        found, stdout, stderr = self.command(arguments, folder)
        report = None
        if os.path.exists(os.path.join(folder, "report.json")):
            with open(os.path.join(folder, "report.json"), encoding="utf-8") as report_file:
                report = json.load(report_file)
        check(found == status, f"ended with {found}, not {status}: {stderr.strip()[-500:]} (job {json.dumps(spec)[:400]})")
        return Ended(arguments, found, stderr, stdout, os.path.join(folder, to or "out"), report)

    def refused(self, spec, *words, files=None, source=b'{"id":"1","a":"x"}\n', status=78):
        """A job that is refused before anything is written; standard error holds each of the words."""
        ended = self.export(spec, source, status=status, files=files)
        check(not ended.files, f"something was written: {sorted(ended.files)}")
        for word in words:
            check(word.lower() in ended.stderr.lower(), f"the message does not name '{word}': {ended.stderr.strip()[:600]}")
        return ended


def record_summary(ended):
    return ended.report["metrics"]["recordSummary"]


def skipped(ended):
    return {reason: count for reason, count in record_summary(ended)["skippedByReason"].items() if count}
