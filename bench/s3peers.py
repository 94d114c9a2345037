"""The two ends of bench/upload: servers that tell what reached them, and the tools that upload, each at its best.

Servers are the rigs of tests/s3 (nginx_rig.py sink, rgw.py). Settings were found by trying 4 to 16 connections a tool
on 2 cores: more than 8 gave nothing. Python's standard library only.
"""
import json
import os
import shutil
import socket
import struct
import sys
import threading
import urllib.parse
import urllib.request

import benchlib
from benchlib import Wrong

sys.path.insert(0, os.path.join(benchlib.ROOT, "tests", "s3"))
import rig  # noqa: E402
from peer_client import Client  # noqa: E402

BUCKET = "bench-upload"
REGION = "us-east-1"
# Debian's own tools before others of the same name
SEARCH = "/usr/bin" + os.pathsep + os.environ.get("PATH", "")
CONNECTIONS = 8  # of every tool, where it has such a setting
PART_MIB = 8
CIPHERS = {0x1301: ("TLS_AES_128_GCM_SHA256", "aes-128-gcm"), 0x1302: ("TLS_AES_256_GCM_SHA384", "aes-256-gcm"),
           0x1303: ("TLS_CHACHA20_POLY1305_SHA256", "chacha20-poly1305")}


# ---- servers ----

class Server:
    """A rig, and one bucket on it. Raises rig.Missing when its programs are not installed."""

    def __init__(self, name, program, *arguments):
        self.name = name
        self.rig = rig.Rig(program, *arguments)
        try:
            told = self.rig.told(120)
        except RuntimeError as trouble:
            self.rig.close()
            raise Wrong(str(trouble)) from trouble
        except BaseException:
            self.rig.close()
            raise
        self.url, self.tls_url, self.ca = told["url"], told["tls_url"], told["ca"]
        self.keys = (told.get("access_key", "AKBENCH"), told.get("secret_key", "bench"))
        self.client = Client(self.url, self.keys, REGION)

    def close(self):
        self.rig.close()

    def environment(self, folder, tls=False, unsigned=True, endpoint=None):
        """What penstock and awscli need, and nothing of the caller's shell."""
        config = os.path.join(folder, "aws-unsigned" if unsigned else "aws-signed")
        with open(config, "w", encoding="ascii") as text:
            text.write(f"[default]\nregion = {REGION}\ns3 =\n  addressing_style = path\n"
                       + ("  payload_signing_enabled = false\n" if unsigned else "")
                       + f"  max_concurrent_requests = {CONNECTIONS}\n  multipart_threshold = {PART_MIB}MB\n"
                       f"  multipart_chunksize = {PART_MIB}MB\n")
        env = rig.clean_environment(HOME=folder, AWS_CONFIG_FILE=config, AWS_SHARED_CREDENTIALS_FILE="/nonexistent",
                                    AWS_ACCESS_KEY_ID=self.keys[0], AWS_SECRET_ACCESS_KEY=self.keys[1],
                                    AWS_EC2_METADATA_DISABLED="true",
                                    AWS_ENDPOINT_URL_S3=endpoint or (self.tls_url if tls else self.url))
        if tls:
            env["AWS_CA_BUNDLE"] = self.ca
        return env


class Sink(Server):
    """Throws bodies away; what is known of them are its counters, and the size and checksum that HEAD shows."""

    def __init__(self):
        super().__init__("sink", "nginx_rig.py", "sink")
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path):
        return self.opener.open(self.url + path, timeout=10).read()

    def prepare(self, rate=0, md5=False):
        self.ask("/_reset")
        if rate or md5:
            self.ask(f"/_ctl?rate={rate}&md5={int(md5)}")

    def counters(self):
        return json.loads(self.ask("/_ctr"))

    def check(self, tool, sizes, prefix, hedged=False):
        """`sizes`: of the objects, by name. Sent again by a hedge, bytes count twice."""
        seen, total = self.counters(), sum(sizes.values())
        if seen["completes"] + seen["puts"] != len(sizes) or seen["bytes"] < total \
                or (seen["bytes"] != total and not hedged):
            raise Wrong(f"{tool}: the sink counts {seen}; {len(sizes)} files of {total} bytes in all were to be sent")
        heads = {name: self.client.head(BUCKET, prefix + name) for name in sizes}
        for name, head in heads.items():
            if int(head["content-length"]) != sizes[name]:
                raise Wrong(f"{tool}: HEAD {name} says {head['content-length']} bytes; {sizes[name]} are right")
        return heads

    def clear(self, prefix):
        self.ask("/_reset")


class Gateway(Server):
    """Ceph's RADOS Gateway: objects are read back and compared, byte for byte, after every run."""

    def __init__(self, store):
        super().__init__("RGW", "rgw.py", "--store", store, "--bytes", str(16 << 30))
        self.client.make_bucket(BUCKET)

    def prepare(self, rate=0, md5=False):
        pass

    def check(self, tool, files, prefix):
        """`files`: path by name."""
        names = {key[len(prefix):] for key in self.client.keys_of(BUCKET, prefix)}
        if names != set(files):
            raise Wrong(f"{tool}: the bucket has {sorted(names)}; {sorted(files)} are right")
        for name, path in files.items():
            with open(path, "rb") as file:
                if self.client.get(BUCKET, prefix + name) != file.read():
                    raise Wrong(f"{tool}: {name} on the server has other bytes than the file")

    def clear(self, prefix):
        for key in self.client.keys_of(BUCKET, prefix):
            self.client.delete(BUCKET, key)


def negotiated(server, run):
    """(name, openssl's name) of the cipher that `run(endpoint)` agrees on: the ServerHello is read on its way."""
    target = urllib.parse.urlsplit(server.tls_url)
    found = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink, look):
        first = b""
        try:
            while data := source.recv(65536):
                # record header 5, handshake header 4, version 2, random 32, then the session id
                if look and len(first) < 46 + 255:
                    first += data
                    if len(first) >= 44 and len(first) >= 46 + first[43]:
                        found.append(struct.unpack_from(">H", first, 44 + first[43])[0])
                        look = False
                sink.sendall(data)
        except OSError:
            pass
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def accept():
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            upstream = socket.create_connection((target.hostname, target.port))
            threading.Thread(target=pump, args=(client, upstream, False), daemon=True).start()
            threading.Thread(target=pump, args=(upstream, client, True), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        run(f"https://localhost:{listener.getsockname()[1]}")
    finally:
        listener.close()
    if not found or found[0] not in CIPHERS:
        raise Wrong(f"which cipher was negotiated is not known: {[hex(c) for c in found]}")
    return CIPHERS[found[0]]


# ---- tools ----

class Tool:
    """One way of uploading a folder of files. `command(server, files, prefix)`; `env(server)`."""

    def __init__(self, name, program, package, command, env, on=("sink", "RGW"), md5=False, unsigned=False):
        self.name, self.program, self.package, self.command, self.env = name, program, package, command, env
        self.on, self.md5, self.unsigned = on, md5, unsigned


def installed(program):
    """Its path, or None."""
    return shutil.which(program, path=SEARCH)


def url_of(prefix):
    return f"s3://{BUCKET}/{prefix}"


def penstock_tool(programs, name, folder, checksum, on, unsigned=True, connections=CONNECTIONS):
    path = programs.find("bench/bench_upload")

    def command(_server, files, prefix):
        return [path, "--connections", str(connections), "--part-size", str(PART_MIB), "--checksum", checksum,
                url_of(prefix), *files]
    return Tool(name, None, None, command, lambda server: server.environment(folder, unsigned=unsigned), on,
                unsigned=unsigned)


def aws_tool(name, folder, unsigned):
    def command(server, files, prefix):
        return [installed("aws"), "--endpoint-url", server.url, "s3", "cp", "--recursive", "--only-show-errors",
                "--no-progress", os.path.dirname(files[0]), url_of(prefix)]
    return Tool(name, "aws", "awscli", command, lambda server: server.environment(folder, unsigned=unsigned),
                unsigned=unsigned)


def rclone_tool(name, folder):
    def command(_server, files, prefix):
        return [installed("rclone"), "copy", os.path.dirname(files[0]), f"bench:{BUCKET}/{prefix}", "--quiet",
                "--transfers", "2", "--s3-upload-concurrency", str(CONNECTIONS // 2),
                "--s3-chunk-size", f"{PART_MIB}M", "--s3-upload-cutoff", f"{PART_MIB}M", "--s3-no-head",
                "--s3-disable-checksum", "--s3-no-check-bucket",
                "--no-check-dest", "--ignore-times", "--ignore-checksum"]

    def env(server):
        return rig.clean_environment(
            HOME=folder, RCLONE_CONFIG=os.path.join(folder, "rclone.conf"), RCLONE_CONFIG_BENCH_TYPE="s3",
            RCLONE_CONFIG_BENCH_PROVIDER="Ceph", RCLONE_CONFIG_BENCH_ENDPOINT=server.url,
            RCLONE_CONFIG_BENCH_ACCESS_KEY_ID=server.keys[0], RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY=server.keys[1],
            RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE="true")

    with open(os.path.join(folder, "rclone.conf"), "w", encoding="ascii"):
        pass
    return Tool(name, "rclone", "rclone", command, env)


def s3cmd_tool(name, folder, processes):
    """It has one connection: several processes, a file each, are its best. It compares ETags with MD5 sums."""
    def command(server, files, prefix):
        host = urllib.parse.urlsplit(server.url).netloc
        config = os.path.join(folder, f"s3cfg-{server.name}")
        with open(config, "w", encoding="ascii") as text:
            text.write(f"[default]\naccess_key = {server.keys[0]}\nsecret_key = {server.keys[1]}\nhost_base = {host}\n"
                       f"host_bucket = {host}\nuse_https = False\nbucket_location = {REGION}\nprogress_meter = False\n")
        one = [installed("s3cmd"), "-c", config, "put", "--quiet", "--no-progress", "--no-check-md5",
               f"--multipart-chunk-size-mb={PART_MIB}"]
        script = 'to=$1; list=$2; shift 2; exec xargs -a "$list" -P ' + str(processes) + ' -I @ "$@" @ "$to"'
        return ["sh", "-c", script, "sh", url_of(prefix), list_of(folder, files), *one]
    return Tool(name, "s3cmd", "s3cmd", command, lambda server: rig.clean_environment(HOME=folder), md5=True)


def list_of(folder, files):
    path = os.path.join(folder, "files.txt")
    with open(path, "w", encoding="utf-8") as text:
        text.write("".join(f + "\n" for f in files))
    return path


def tools_of(programs, folder):
    """All that can run here, penstock first; (found, [what is missing])."""
    every = [penstock_tool(programs, "penstock, crc64nvme", folder, "crc64nvme", ("sink",)),
             penstock_tool(programs, "penstock", folder, "none", ("RGW",)),
             penstock_tool(programs, "penstock, signed payload", folder, "none", ("RGW",), unsigned=False),
             aws_tool("awscli, unsigned payload", folder, True), aws_tool("awscli", folder, False),
             rclone_tool("rclone", folder), s3cmd_tool("s3cmd, 4 processes", folder, 4)]
    found = [t for t in every if t.program is None or installed(t.program)]
    return found, sorted({t.package for t in every if t not in found})
