"""What the rigs share: servers that are started for a test and gone after it.

A rig is a program of its own (rgw.py, rgw20.py, swift.py, nginx_rig.py): it starts its servers in a temporary folder
and on free ports of 127.0.0.1, prints one line of JSON that says where they are, and waits. When its standard input
ends, or by Ctrl-C, TERM or the death of who started it (that ends its standard input), it stops them and removes the
folder. So a person can use one by hand (`python3 tests/s3/rgw.py`), and the driver by Rig()."""
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# What a shell may have set that changes what a client trusts or whom it asks.
STRAY = ("AWS_", "PENSTOCK_", "CEPH_", "RCLONE_", "SSL_CERT", "CURL_CA", "REQUESTS_CA", "XDG_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Skip(Exception):
    """A rig that can't be had here, through no fault of the tree: the message says why."""


class Missing(Exception):
    """A program that is not installed: the message says which package brings it."""


def clean_environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(STRAY) and k.lower() not in PROXIES}
    kept["LC_ALL"] = "C.UTF-8"
    kept.update(more)
    return kept


def free_ports(count):
    """Ports that nobody listened on a moment ago, all different. Below the range that the kernel gives to clients,
    so that no connection of the tests takes one before its server does."""
    held = []
    start = 10000 + os.getpid() * 37 % 20000
    try:
        for offset in range(20000):
            end = socket.socket()
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                end.bind(("127.0.0.1", 10000 + (start - 10000 + offset) % 20000))
            except OSError:
                end.close()
                continue
            held.append(end)
            if len(held) == count:
                return [end.getsockname()[1] for end in held]
    finally:
        for end in held:
            end.close()
    raise SystemExit("no free ports")


def need(**packages):
    """need(radosgw="radosgw"): programs and the Debian packages that bring them (underscores stand for dashes)."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [p for name, p in packages.items() if not shutil.which(name.replace("_", "-"), path=path)]
    if missing:
        raise Missing("missing; apt-get install --no-install-recommends " + " ".join(sorted(set(missing))))


def make_certificate(folder, name="localhost"):
    """(certificate, key) for localhost, *.localhost and 127.0.0.1, signed by itself."""
    need(openssl="openssl")
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "3650", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return cert, key


def die_with_parent():
    """Between fork and exec: killed when the program that started it is gone, however that ended (PR_SET_PDEATHSIG;
    counts for the thread that started it: a rig's only one)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Stage:
    """A temporary folder and the processes that live in it. `with`, or close()."""

    def __init__(self, name):
        self.folder = tempfile.mkdtemp(prefix=f"penstock-{name}-", dir="/tmp")  # short: it holds sockets
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, name, command, env=None):
        """A server, in the foreground of its own session; its output goes to NAME.out."""
        with open(self.path(name + ".out"), "wb") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                     env=env, cwd=self.folder, start_new_session=True, preexec_fn=die_with_parent)
        child.rig_name = name
        self.children.append(child)
        return child

    def output(self, name):
        try:
            with open(self.path(name + ".out"), encoding="utf-8", errors="replace") as file:
                return file.read()[-2000:]
        except OSError:
            return ""

    def wait_until(self, check, seconds, what):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if check():
                return
            for child in self.children:
                if child.poll() not in (None, 0):
                    raise RuntimeError(
                        f"{child.rig_name} ended with {child.returncode}:\n{self.output(child.rig_name)}")
            time.sleep(0.03)
        raise RuntimeError(f"{what}: not after {seconds} s\n" +
                           "\n".join(f"--- {c.rig_name}\n{self.output(c.rig_name)}" for c in self.children))

    def close(self):
        for child in reversed(self.children):
            if child.poll() is None:
                self._signal(child, signal.SIGTERM)
        until = time.monotonic() + 3
        for child in reversed(self.children):
            try:
                child.wait(max(0.05, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            self._signal(child, signal.SIGKILL)  # the session's last ones too
            child.wait()
        self.children = []
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _signal(child, number):
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def serve(start):
    """The life of a rig's program. start(stage_list) gives the dictionary to print; what it puts into the list is
    closed at the end, last first."""
    stages = []

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    status = 0
    try:
        began = time.monotonic()
        told = start(stages)
        told["seconds"] = round(time.monotonic() - began, 2)
        print(json.dumps(told), flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    except Missing as missing:
        print(json.dumps({"missing": str(missing)}), flush=True)
        status = 3
    except Skip as skip:
        print(json.dumps({"skip": str(skip)}), flush=True)
        status = 4
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
        status = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for stage in reversed(stages):
            stage.close()
    return status


class Rig:
    """The driver's end of a rig's program. It starts at once; told() waits for its line."""

    def __init__(self, program, *arguments):
        self.name = program
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, program), *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)  # Ctrl-C is the driver's; it ends our input
        self.line, self.lock = None, threading.Lock()

    def told(self, seconds=240):
        """Its dictionary; raises Missing, Skip or RuntimeError."""
        with self.lock:
            if self.line is None:
                ready, _, _ = select.select([self.process.stdout], [], [], seconds)
                line = self.process.stdout.readline() if ready else ""
                self.line = json.loads(line) if line.startswith("{") else {
                    "error": f"said nothing in {seconds} s" if not ready else f"ended with {self.process.wait()}"}
        if "missing" in self.line:
            raise Missing(f"{self.name}: {self.line['missing']}")
        if "skip" in self.line:
            raise Skip(f"{self.name}: {self.line['skip']}")
        if "error" in self.line:
            raise RuntimeError(f"{self.name}: {self.line['error']}")
        return self.line

    def close(self):
        """Takes it down. May be called in any state, more than once."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
