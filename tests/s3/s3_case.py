"""What the cases of the S3 tests are made of: inputs, a run of penstock, and what is looked at afterwards.

A case is a function that takes a Case; @case registers it. It says what is wrong by case.fail() or a check that calls
it, and goes on; the driver counts. Every run of penstock is held to what always holds: no secret in anything it wrote,
no server that stumbled, and, when it failed, nothing left behind that it does not name."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import checksums
import rig
from peer_client import Client
from scripted_model import Key
from scripted_s3 import ScriptedS3

MIB = 1 << 20
RUN = ["--run-time", "2026-11-22T03:00:00Z", "--run-id", "0123456789abcdef"]
BUCKET, PREFIX = "test-bucket", "DataJobs/Customer Data/ü+1/"  # a blank, UTF-8 and a plus sign: all are signed
ACCESS, SECRET = "AKIDSCRIPTED", "scripted/secret+key=0123456789"
TIMEOUT = 300  # whatever takes this long hangs: the longest runs wait for 100 seconds, and the machine may be busy
SIGNAL_SECONDS = 120  # the same of what a signal waits for
CASES = []
RUNNING, FOLDERS = set(), set()  # for the driver's end by Ctrl-C: processes to kill, folders to remove
STARTING, ENDED = threading.Lock(), threading.Event()  # nothing is made any more when that end has begun


class Ended(Exception):
    """The driver ends."""


def make_folder(prefix):
    with STARTING:
        if ENDED.is_set():
            raise Ended
        folder = tempfile.mkdtemp(prefix=prefix)
        FOLDERS.add(folder)
    return folder


class Registered:
    def __init__(self, name, function, seconds, rigs):
        self.name, self.function, self.seconds, self.rigs = name, function, seconds, rigs


def case(name, seconds=1, rigs=()):
    """`seconds`: about how long it takes (long ones begin first). `rigs`: names of servers that it wants."""
    def register(function):
        assert all(c.name != name for c in CASES), name
        CASES.append(Registered(name, function, seconds, tuple(rigs)))
        return function
    return register


class Inputs:
    """Dumps, made once, and what a delivery of them to a directory gives. Shared by all cases, never changed.

      tiny    40 records: one file of some 2 KiB
      small   300 records in 6 files
      mixed   one file of 3 parts of 5 MiB, one of 2 MiB, one of 300 KiB (one PutObject)
      wide    one file of 14 parts
      hex     one file of 30 MB that compresses to half of it"""
    ROWS = {"tiny": (None, [(40, 40)]), "small": (50, [(300, 60)]),
            "mixed": (1100, [(1100, 10200), (1100, 1900), (1100, 270)]), "wide": (None, [(680, 100 * 1024)]),
            "hex": (None, [(300, 100 * 1024)])}

    def __init__(self, penstock):
        self.penstock = penstock
        self.folder = make_folder("penstock-s3-inputs-")
        self.known, self.lock = {}, threading.Lock()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name + ".ndjson")

    def _make(self, name):
        random_text = random.Random(name)
        number = 0
        with open(self.path(name), "w", encoding="utf-8") as dump:
            for count, width in self.ROWS[name][1]:
                for _ in range(count):
                    number += 1
                    if name == "hex":
                        note = f"{random_text.getrandbits(4 * width):0{width}x}"
                    else:
                        note = (f"{random_text.getrandbits(128):032x} é, \"" * (width // 37 + 1))[:width]
                    dump.write(json.dumps({"identityMap": {"CustomerID": [{"id": f"C{number:06d}", "primary": True}]},
                                           "note": note}, ensure_ascii=False) + "\n")

    def expected(self, name):
        """{file name: bytes}"""
        with self.lock:
            if name not in self.known:
                self._make(name)
                out = os.path.join(self.folder, name + ".out")
                job = os.path.join(self.folder, name + ".yaml")
                with open(job, "w", encoding="utf-8") as text:
                    text.write(job_text(name))
                done = subprocess.run([self.penstock, "export", "-j", job, self.path(name), "--to", out, *RUN],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      env=rig.clean_environment(), timeout=TIMEOUT, check=False)
                if done.returncode != 0:
                    raise RuntimeError(f"the delivery to a directory failed: {done.stdout.decode()[-500:]}")
                files = {}
                for file in sorted(os.listdir(out)):
                    with open(os.path.join(out, file), "rb") as data:
                        files[file] = data.read()
                self.known[name] = files
        return self.known[name]


def job_text(name, destination=None, extra="", files=""):
    rows = Inputs.ROWS[name][0]
    lines = ["name: acme",
             'files: { name: "{name}_{part}.csv"' + (f", max_rows: {rows}" if rows else "") + files + " }",
             "identity: { column: CustomerID, paths: [ identityMap.CustomerID ] }", "columns:",
             "  - { name: Note, path: note }"]
    if destination:
        lines.append("destination:")
        lines += [f"  {key}: {json.dumps(value)}" for key, value in destination.items()]
    return "\n".join(lines) + "\n" + extra


class Outcome:
    """What one run of penstock left. `stopping`: seconds from a signal of send_signal_when() to its end."""

    def __init__(self, status, out, err, report, seconds, stopping=None):
        self.status, self.out, self.err, self.report, self.seconds = status, out, err, report, seconds
        self.stopping = stopping


class Case:
    def __init__(self, name, penstock, inputs, rigs):
        self.name, self.penstock, self.inputs, self.rigs = name, penstock, inputs, rigs
        self.folder = make_folder("penstock-s3-")
        self.problems, self.closing, self.secrets = [], [], {SECRET}
        self.runs = 0

    def close(self):
        for thing in reversed(self.closing):
            thing.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fail(self, text):
        self.problems.append(text)

    def check(self, good, text):
        if not good:
            self.fail(text)
        return good

    def with_(self, thing):
        """Closed when the case ends."""
        self.closing.append(thing)
        return thing

    # ---- servers ----------------------------------------------------------------------------------------------------
    def server(self, **options):
        keys = options.pop("keys", None) or {ACCESS: Key(SECRET)}
        for key in keys.values():
            self.secrets |= {s for s in (key.secret, key.token) if s}
        buckets = options.pop("buckets", (BUCKET,))
        return self.with_(ScriptedS3(buckets, keys, **options))

    def certificate(self):
        return rig.make_certificate(self.folder)

    # ---- runs -------------------------------------------------------------------------------------------------------
    def environment(self, server=None, keys=(ACCESS, SECRET), **more):
        """`server`: a ScriptedS3, or a URL, or None. What is None in `more` is not set."""
        given = {
            "HOME": self.folder,
            "XDG_STATE_HOME": os.path.join(self.folder, "state"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent/config",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
            "AWS_REGION": "eu-central-1"}
        if server is not None:
            given["AWS_ENDPOINT_URL_S3"] = server if isinstance(server, str) else server.url
        if keys:
            given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"] = keys[:2]
            self.secrets.add(keys[1])
            if len(keys) > 2 and keys[2]:
                given["AWS_SESSION_TOKEN"] = keys[2]
                self.secrets.add(keys[2])
        given.update(more)
        return rig.clean_environment(**{k: v for k, v in given.items() if v is not None})

    def command(self, arguments, env, during=None, stdin_data=None):
        """Runs penstock with arguments. `during(process)` is called while it runs, in this thread."""
        self.runs += 1
        began = time.monotonic()
        with STARTING:
            if ENDED.is_set():
                raise Ended
            process = subprocess.Popen([self.penstock, *arguments], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            RUNNING.add(process)
        try:
            if during:
                watcher = threading.Thread(target=self._during, args=(during, process))
                watcher.start()
            out, err = process.communicate(timeout=TIMEOUT)
            if during:
                watcher.join()
            status = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            status = f"no end after {TIMEOUT} s"
        RUNNING.discard(process)
        ended = time.monotonic()
        outcome = Outcome(status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), None, ended - began,
                          ended - process.signalled if hasattr(process, "signalled") else None)
        if isinstance(status, int) and (status < 0 or status == 99):
            self.fail(f"penstock died of {status}: {outcome.err[-3000:]}")
        self._no_secrets(outcome)
        return outcome

    def _during(self, during, process):
        try:
            during(process)
        except Exception as error:
            self.fail(f"while penstock ran: {type(error).__name__}: {error}")

    def export(self, server, name="tiny", destination=None, flags=(), env=None, url=f"s3://{BUCKET}/{PREFIX}", extra="",
               during=None, files=""):
        report = os.path.join(self.folder, "report.json")
        job = os.path.join(self.folder, "job.yaml")
        self.inputs.expected(name)
        if os.path.exists(report):
            os.remove(report)
        with open(job, "w", encoding="utf-8") as text:
            text.write(job_text(name, destination, extra, files))
        arguments = ["export", "-j", job, self.inputs.path(name), *RUN, "--report", report, "-v", "--threads", "2"]
        if url:
            arguments += ["--to", url]
        outcome = self.command(arguments + list(flags), env or self.environment(server), during)
        try:
            with open(report, encoding="utf-8") as text:
                outcome.report = json.load(text)
        except (OSError, ValueError):
            pass
        return outcome

    def _no_secrets(self, outcome):
        places = {"standard output": outcome.out.encode(), "standard error": outcome.err.encode()}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if not name.startswith("given-") and not name.endswith((".key", ".pem")):
                    try:
                        with open(path, "rb") as data:
                            places[os.path.relpath(path, self.folder)] = data.read()
                    except FileNotFoundError:
                        pass  # of another run of this case, which goes on
        for place, data in places.items():
            for secret in self.secrets:
                if secret.encode() in data:
                    self.fail(f"SECRET in {place}: ...{data[max(0, data.index(secret.encode()) - 60):][:40]!r}")

    def give(self, name, text):
        """A file for penstock that may hold secrets; its path."""
        path = os.path.join(self.folder, "given-" + name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    # ---- what is looked at ------------------------------------------------------------------------------------------
    def show(self, outcome):
        return f"status {outcome.status} after {outcome.seconds:.1f} s; stderr: {outcome.err.strip()[-700:]!r}"

    def says(self, outcome, *patterns):
        for pattern in patterns:
            self.check(re.search(pattern, outcome.err, re.I | re.S),
                       f"no {pattern!r} in standard error; {self.show(outcome)}")

    def status(self, outcome, *wanted):
        return self.check(outcome.status in wanted, f"status {wanted} expected; {self.show(outcome)}")

    def expected_objects(self, name, prefix=PREFIX):
        return {prefix + file: data for file, data in self.inputs.expected(name).items()}

    def sound(self, server):
        """The server itself is fine, and nobody sent a wrong signature."""
        for trouble in server.trouble:
            self.fail("the scripted server stumbled: " + trouble)
        for entry in server.log:
            refused = entry.get("refused")
            if refused in ("SignatureDoesNotMatch", "AccessDenied", "InvalidRequest"):
                self.fail(f"{entry['op']} {entry['target']} was refused: {refused}")

    def delivered(self, outcome, server, name="tiny", bucket=BUCKET, sound=True):
        """Status 0 and exactly the bytes that a directory gets; nothing unfinished."""
        if not self.status(outcome, 0):
            return False
        if sound:
            self.sound(server)
            self.in_stages(server)
        same = self.same(server.objects(bucket), self.expected_objects(name))
        self.check(not server.uploads(bucket),
                   f"unfinished uploads: {sorted(u.key for u in server.uploads(bucket).values())}")
        return same

    def in_stages(self, server):
        """Manifests appear when all files of rows were looked at as objects, tokens when all manifests were."""
        stage = lambda key: 2 if key.endswith(".TOK") else 1 if key.endswith(".xml") else 0
        puts, verified = {}, set()
        for entry in server.log:
            key = entry.get("key")
            if entry["op"] in ("put", "complete"):
                before = {k for k in puts if stage(k) < stage(key)}
                self.check(before <= verified, f"{key} was made before {sorted(before - verified)} had been looked at")
                later = sorted(k for k in puts if stage(k) > stage(key))
                self.check(not later, f"{key} was made after {later}")
                puts[key] = entry
            elif entry["op"] == "head" and key in puts:
                verified.add(key)

    def same(self, have, want):
        good = self.check(sorted(have) == sorted(want), f"objects {sorted(have)}, expected {sorted(want)}")
        for key in set(have) & set(want):
            good = self.check(have[key] == want[key], f"{key}: {len(have[key])} bytes, not those of a directory "
                              f"({len(want[key])})") and good
        return good

    def nothing_left(self, outcome, server, name="tiny", bucket=BUCKET, before=()):
        """After a failure: no upload; an object only when it is whole and named in the messages."""
        want = self.expected_objects(name)
        self.check(not server.uploads(bucket),
                   f"unfinished uploads: {sorted(u.key for u in server.uploads(bucket).values())}; " +
                   self.show(outcome))
        for key, data in server.objects(bucket).items():
            if key in before:
                continue
            self.check(data == want.get(key), f"{key} was left and is not whole")
            self.check(key in outcome.err, f"{key} was left and is not named; {self.show(outcome)}")
        if outcome.report is not None:
            status = outcome.report["metrics"]["statusSummary"]["status"]
            self.check(status == "failed", f"the report says {status}")

    def failed(self, outcome, server, *statuses, name="tiny", before=()):
        good = self.status(outcome, *statuses)
        self.check(outcome.err.strip(), "it failed without a word")
        self.nothing_left(outcome, server, name, before=before)
        return good

    def stopped(self, outcome, seconds):
        """It ended soon behind the signal, however long it took until then."""
        if self.check(outcome.stopping is not None, f"it ended before the signal; {self.show(outcome)}"):
            self.check(outcome.stopping < seconds, f"{outcome.stopping:.0f} s from the signal to the end")

    def report_is_right(self, outcome, name, url=f"s3://{BUCKET}/{PREFIX}", checksum="crc64nvme"):
        report = outcome.report
        if not self.check(report is not None, "there is no report"):
            return
        want = self.inputs.expected(name)
        self.check(report["metrics"]["statusSummary"]["status"] == "success", "the report's status")
        have = {f["url"]: f for f in report["files"] if f["kind"] == "data"}
        self.check(sorted(have) == sorted(url + f for f in want), f"the report's urls: {sorted(have)}")
        for file, data in want.items():
            entry = have.get(url + file, {})
            self.check(entry.get("bytes") == len(data), f"the report's bytes of {file}: {entry.get('bytes')}")
            if checksum == "crc64nvme":
                self.check(entry.get("crc64nvme") == checksums.text("crc64nvme", data),
                           f"the report's crc64nvme of {file}: {entry.get('crc64nvme')}")
        for number in ("retries", "throttles"):
            self.check(isinstance(report["performance"].get(number), int), f"the report's {number}")

    def client(self, told, keys=None, tls=False):
        """Of a real server that a rig told of."""
        keys = keys or (told["access_key"], told["secret_key"])
        return Client(told["tls_url"] if tls else told["url"], keys, "us-east-1", told.get("ca"))


def send_signal_when(server, op, number, count=1, after=0.0):
    """For `during`: sends the signal when the server has seen `count` requests of the kind."""
    def during(process):
        until = time.monotonic() + SIGNAL_SECONDS
        while len(server.ops(op)) < count and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(after)
        if process.poll() is None:
            process.signalled = time.monotonic()
            process.send_signal(number)
    return during


def drop_everything():
    with STARTING:
        ENDED.set()
        for process in list(RUNNING):
            process.kill()
    for folder in list(FOLDERS):
        shutil.rmtree(folder, ignore_errors=True)


SIGINT, SIGTERM = signal.SIGINT, signal.SIGTERM
