#!/usr/bin/env python3
"""A small S3 in memory that checks what real ones check, and misbehaves as it is told.

It verifies Signature Version 4 (every x-amz header signed, clock within 15 minutes, region of the bucket, session
token, payload hash), Content-MD5 and x-amz-checksum-*, part order, sizes and ETags, full-object checksums and
x-amz-mp-object-size at Complete, If-None-Match, x-amz-expected-bucket-owner; it records class, ACL, tags, metadata and
encryption. Nothing here was taken from a server's code; docs.aws.amazon.com/AmazonS3/latest/API says what is expected.

In a program:      with ScriptedS3() as s3: s3.rule(op="part", act="error", arg="SlowDown", count=3); ... s3.log
From the shell:    scripted_s3.py [--port N] [--tls CERT KEY] [--bucket NAME]...   prints {"url", "ca"}; ends with its
                   standard input or by Ctrl-C. Control: POST /_ctl/rule, /_ctl/set (JSON), /_ctl/reset; GET /_ctl/log,
                   /_ctl/state.

A rule is {op, from, count, percent, key, part, act, arg}: of the requests of kind `op` (names below, or "any") that
match `key` (a regular expression) and `part`, numbers from .. from+count-1 get `act`:
  error CODE        an S3 error after the body was read; arg may be {status, code, message, xml, headers, empty}
  early CODE        the same before the body is read, then the connection is closed ({"keep": true}: it is read on)
  rst N             TCP reset after N bytes of the body; fin N: closed in order instead
  stall N           nothing is read or answered for N seconds; mute N: the body is read, nothing is answered
  delay N           N seconds late, otherwise right; slow N: the body is read with N bytes a second
  meet N            answered when N such requests are under way at once, however long the others take to come
  etag noetag       a wrong ETag, none; sum nosum: a wrong echo of the checksum, none
  drop              done, but the answer is lost; undone: answered well, but not done
  after CODE        done, but the answer is this error
  trunc             the answer's body is cut in its middle and the connection closed; badxml: cut, with a right length
  garbage           200 with HTML; nothttp: no HTTP at all; hugehead: 200 KiB of headers; hugebody: 20 MiB of XML
  okerror CODE      200 with an <Error> body; spaces N: 200, then N times white space (0.2 s each), then the real body
  spaceserror CODE  both
  corrupt           one byte of the body is changed when it is received
  redirect URL      307 to another place; region NAME: 301 PermanentRedirect that names a region ({"status": 400}: as
                    AuthorizationHeaderMalformed)
  close             right, but the connection is closed afterwards without saying so
"""
import argparse
import base64
import collections
import hashlib
import itertools
import json
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
import urllib.parse
from email.utils import formatdate

import checksums
import sigv4
from scripted_model import LOGGED, MIB, OPS, Answer, Bucket, Gone, Key, Request, document, failure
from scripted_ops import Guard, Operations


class ScriptedS3(Guard, Operations):
    """One server: its own port, buckets, keys, rules and log.

    Switches (attributes, to be changed at any time):
      clock_offset         seconds that its clock is ahead
      checksums            "verify", "ignore" (unknown headers are passed over, nothing is echoed: as Ceph 16),
                           "refuse" (501 NotImplemented), "refuse400" (InvalidArgument: as Backblaze B2)
      if_none_match        "honour", "ignore" (as Ceph 16 at Complete), "refuse" (501)
      complete_again       True: a second Complete of an upload succeeds (AWS); False: NoSuchUpload (MinIO); "412": one
                           with If-None-Match finds the object that the first made
      page                 most entries of a listing
      ignores_delimiter    a listing names what lies deeper, too
      keep_alive           requests a connection serves before it is closed without a word; 0: no bound
      bucket_owner_enforced  ACLs are refused
      one_part_quirk       an upload of one part shows its checksum as COMPOSITE, with "-1" behind it (as Ceph 20)
      chunked_answers      bodies of answers are sent in chunks
      region_hint          errors about the region name it
      on_request           called with each log entry before the request is served (under the lock)"""

    def __init__(self, buckets=("test-bucket",), keys=None, tls=None, port=0, region="eu-central-1"):
        self.buckets = buckets if isinstance(buckets, dict) else {name: Bucket(region) for name in buckets}
        self.keys = keys or {"AKIDSCRIPTED": Key("scripted/secret+key")}
        self.clock_offset = 0
        self.checksums, self.if_none_match = "verify", "honour"
        self.complete_again, self.page, self.keep_alive = True, 1000, 0
        self.ignores_delimiter = False
        self.bucket_owner_enforced = self.chunked_answers = self.one_part_quirk = False
        self.region_hint = True
        self.on_request = None
        self.rules, self.log, self.trouble = [], [], []
        self.counts = collections.Counter()
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)
        self.most_at_once = self.at_once = self.accepted = 0
        self.meeting = self.meetings = 0
        self.closing = False
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.socket = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self.socket.getsockname()[1]
        self.scheme = "https" if tls else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self.live = set()
        self.accepter = threading.Thread(target=self._accept, daemon=True)
        self.accepter.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.closing = True
        for end in [self.socket] + list(self.live):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            try:
                end.close()
            except OSError:
                pass

    # ---- what tests say and ask -------------------------------------------------------------------------------------
    def rule(self, op="any", act="error", arg=None, count=1, percent=100, key=None, part=None, **more):
        """One more rule; `from` is a word of Python, so it is from_ here (or "from" by **)."""
        first = more.pop("from_", more.pop("from", 1))
        assert not more, more
        assert op in OPS or op == "any", op
        assert hasattr(self, "_act_" + act) or act in self.PLAIN_ACTS, act
        with self.lock:
            self.rules.append({"op": op, "from": first, "count": count, "percent": percent, "key": key, "part": part,
                               "act": act, "arg": arg, "seen": 0, "hits": 0})
        return self.rules[-1]

    def hits(self):
        return sum(rule["hits"] for rule in self.rules)

    def objects(self, bucket="test-bucket"):
        with self.lock:  # a request that nobody waits for any more may still be served
            return {key: stored.data for key, stored in self.buckets[bucket].objects.items()}

    def uploads(self, bucket="test-bucket"):
        with self.lock:
            return dict(self.buckets[bucket].uploads)

    def ops(self, op=None, **fields):
        """Log entries of an operation, also those whose `fields` are as given."""
        return [e for e in list(self.log) if (op is None or e["op"] == op)
                and all(e.get(k) == v for k, v in fields.items())]

    def now(self):
        return time.time() + self.clock_offset

    # ---- connections ------------------------------------------------------------------------------------------------
    def _accept(self):
        while not self.closing:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        self.live.add(connection)
        number = next(self.numbers)
        reader = None
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw = connection
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.live.add(connection)
                self.live.discard(raw)
            connection.settimeout(120)
            reader = connection.makefile("rb", 256 * 1024)
            served = 0
            while not self.closing and self._one(connection, reader, number):
                served += 1
                if self.keep_alive and served >= self.keep_alive:
                    break
        except (Gone, OSError, ssl.SSLError):
            pass
        except Exception:  # a mistake of this file: shown by the driver
            self.trouble.append(traceback.format_exc())
        finally:
            self.live.discard(connection)
            for end in (reader, connection):  # the reader holds the descriptor too: a reset goes out with the last
                try:
                    if end:
                        end.close()
                except OSError:
                    pass

    @staticmethod
    def _reset(connection):
        """Has the connection closed so that the other side sees a reset."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def _one(self, connection, reader, number):
        """Serves one request; True: the connection lives on."""
        try:
            request = self._read_head(reader)
        except ValueError:  # not HTTP, a TLS handshake say: a word about it, as servers do
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self._linger(connection)
            return False
        if request is None:
            return False
        if request.raw_path.startswith("/_ctl/"):
            request.body = reader.read(request.length)
            self._send(connection, request, self._control(request))
            return True
        self._route(request)
        request.entry.update(connection=number, time=round(time.time(), 3))
        with self.lock:
            self._match_rule(request)
            self.counts[request.op] += 1
            attempt = (request.op, request.key, request.query.get("partNumber"))
            self.counts[attempt] += 1
            request.entry["attempt"] = self.counts[attempt]
            if request.act:
                request.entry["act"] = request.act
            self.log.append(request.entry)
            if self.on_request:
                self.on_request(request.entry)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            request.counted = True
        try:
            return self._handle(connection, reader, request)
        finally:
            self._landed(request)

    def _landed(self, request):
        """It is not under way any more: before the client can know the answer and send the next one elsewhere."""
        with self.lock:
            self.at_once -= request.counted
            request.counted = False

    def _read_head(self, reader):
        line = reader.readline(65536)
        if not line:
            return None
        request = Request()
        request.method, request.target, version = line.decode("latin-1").split()
        if not version.startswith("HTTP/1."):
            raise ValueError(version)
        request.raw_path, _, request.raw_query = request.target.partition("?")
        while True:
            line = reader.readline(65536)
            if line in (b"\r\n", b""):
                break
            name, _, value = line.decode("latin-1").partition(":")
            request.headers[name.strip().lower()] = value.strip()
        request.chunked = "chunked" in request.headers.get("transfer-encoding", "")
        request.length = int(request.headers.get("content-length", "0"))
        request.query = dict(sigv4.split_query(request.raw_query))
        return request

    def _route(self, request):
        host = request.headers.get("host", "").rsplit(":", 1)[0]
        path = urllib.parse.unquote_to_bytes(request.raw_path).decode("utf-8", "surrogateescape")
        bucket = next((b for b in self.buckets if host.startswith(b + ".")), None)
        if bucket is None:
            bucket, _, key = path.lstrip("/").partition("/")
        else:
            key = path[1:]
        request.bucket, request.key = bucket, key
        query, method = request.query, request.method
        if not key:
            request.op = {"HEAD": "head_bucket", "PUT": "create_bucket", "GET": "list_objects"}.get(method, "other")
            if method == "GET" and "uploads" in query:
                request.op = "list_uploads"
            elif method == "GET" and "location" in query:
                request.op = "location"
        elif method == "POST":
            request.op = "create" if "uploads" in query else "complete" if "uploadId" in query else "other"
        elif "uploadId" in query:
            request.op = {"PUT": "part", "DELETE": "abort", "GET": "list_parts"}.get(method, "other")
        else:
            request.op = {"PUT": "put", "GET": "get", "HEAD": "head", "DELETE": "delete"}.get(method, "other")
        request.entry = {"op": request.op, "method": method, "bucket": bucket, "key": key, "status": None,
                         "part": int(query["partNumber"]) if query.get("partNumber", "").isdigit() else None,
                         "upload": query.get("uploadId"), "bytes": 0, "target": request.target,
                         "headers": {k: v for k, v in request.headers.items() if LOGGED.match(k)}}

    def _match_rule(self, request):
        for rule in self.rules:
            if rule["op"] not in ("any", request.op):
                continue
            if rule["key"] is not None and not re.search(rule["key"], request.key or ""):
                continue
            if rule["part"] is not None and rule["part"] != request.entry["part"]:
                continue
            rule["seen"] += 1
            if request.act is None and rule["from"] <= rule["seen"] < rule["from"] + rule["count"] \
                    and random.random() * 100 < rule["percent"]:
                rule["hits"] += 1
                request.act, request.arg = rule["act"], rule["arg"]

    # ---- acts -------------------------------------------------------------------------------------------------------
    # Those without a function of their own work on the answer, in _twist().
    PLAIN_ACTS = ("error", "etag", "noetag", "sum", "nosum", "drop", "undone", "after", "trunc", "badxml", "garbage",
                  "nothttp", "hugehead", "hugebody", "okerror", "spaces", "spaceserror", "corrupt", "redirect",
                  "region", "close", "delay", "slow", "mute", "meet")

    def _act_early(self, connection, reader, request):
        arg = request.arg if isinstance(request.arg, dict) else {"code": request.arg or "SlowDown"}
        answer = self._scripted(request)
        if not arg.get("keep"):
            answer.headers["Connection"] = "close"
        self._send(connection, request, answer)
        if arg.get("keep"):
            self._read_body(connection, reader, request)
            return True
        # What is still under way would make the kernel send a reset that may overtake the answer.
        self._linger(connection)
        return False

    def _act_rst(self, connection, reader, request):
        self._take(reader, request, int(request.arg or 0))
        self._reset(connection)

    def _act_fin(self, connection, reader, request):
        self._take(reader, request, int(request.arg or 0))
        raise Gone

    def _act_stall(self, connection, reader, request):
        self._wait(float(request.arg or 3600))
        self._reset(connection)

    def _linger(self, connection):
        """Half closed; the rest is read and thrown away for a moment, as servers do."""
        try:
            connection.settimeout(1)
            if not self.tls:
                connection.shutdown(socket.SHUT_WR)
            until = time.time() + 1
            while time.time() < until and connection.recv(65536):
                pass
        except OSError:
            pass

    def _wait(self, seconds):
        until = time.time() + seconds
        while time.time() < until:
            if self.closing:
                raise Gone
            time.sleep(min(0.1, max(0.0, until - time.time())))

    def _meet(self, count):
        with self.lock:
            meeting = self.meetings
            self.meeting += 1
            if self.meeting == count:
                self.meeting, self.meetings = 0, meeting + 1
        while self.meetings == meeting:
            self._wait(0.01)

    def _take(self, reader, request, most):
        left = min(most, request.length)
        while left > 0:
            got = reader.read1(left)
            if not got:
                raise Gone
            left -= len(got)

    def _read_body(self, connection, reader, request):
        if request.headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.chunked:
            pieces = []
            while True:
                size = int(reader.readline(1024).split(b";")[0] or b"0", 16)
                if size == 0:
                    break
                pieces.append(reader.read(size))
                reader.readline(16)
            while reader.readline(65536) not in (b"\r\n", b""):
                pass
            request.body = b"".join(pieces)
        elif request.act == "slow":
            pieces, left, rate = [], request.length, float(request.arg)
            while left > 0:
                got = reader.read1(min(left, 65536))
                if not got:
                    raise Gone
                pieces.append(got)
                left -= len(got)
                self._wait(len(got) / rate)
            request.body = b"".join(pieces)
        else:
            request.body = reader.read(request.length)
            if len(request.body) != request.length:
                request.entry["status"] = "cut"
                raise Gone
        request.entry["bytes"] = len(request.body)
        if request.act == "corrupt" and request.body:
            middle = len(request.body) // 2
            request.body = request.body[:middle] + bytes([request.body[middle] ^ 1]) + request.body[middle + 1:]

    def _scripted(self, request):
        """The error that a rule's arg asks for: CODE, or a dictionary."""
        arg = request.arg if isinstance(request.arg, dict) else {"code": request.arg}
        code = arg.get("code") or "SlowDown"
        answer = failure(code, arg.get("message", ""), arg.get("status"), arg.get("xml", ""), arg.get("headers"),
                         request.raw_path)
        if arg.get("empty") or request.method == "HEAD":
            answer.body = b""
        return answer

    def _handle(self, connection, reader, request):
        special = getattr(self, "_act_" + request.act, None) if request.act else None
        if special:
            return special(connection, reader, request)
        self._read_body(connection, reader, request)
        act = request.act
        if act == "delay":
            self._wait(float(request.arg or 1))
        if act == "meet":
            self._meet(int(request.arg))
        if act == "mute":
            self._wait(float(request.arg or 3600))
            self._reset(connection)
        replaced = {"error": self._scripted, "okerror": self._scripted, "region": self._other_region,
                    "redirect": self._redirect, "garbage": self._garbage, "spaceserror": self._scripted}.get(act)
        refused = self._authenticate(request)
        if act == "undone":
            answer = refused or self._pretend(request)
        elif replaced:
            answer = replaced(request)
        else:
            answer = refused or self._perform(request)
        if act == "after":
            answer = self._scripted(request)
        return self._twist(connection, request, answer)

    @staticmethod
    def _other_region(request):
        arg = request.arg if isinstance(request.arg, dict) else {"region": request.arg}
        code = "PermanentRedirect" if arg.get("status", 301) == 301 else "AuthorizationHeaderMalformed"
        answer = failure(code, "", arg.get("status", 301), f"<Region>{arg['region']}</Region>",
                         {"x-amz-bucket-region": arg["region"]})
        if request.method == "HEAD":
            answer.body = b""
        return answer

    @staticmethod
    def _redirect(request):
        place = request.arg.rstrip("/")
        host = place.split("://", 1)[1]
        return failure("TemporaryRedirect", "", 307, f"<Endpoint>{host}</Endpoint><Bucket>{request.bucket}</Bucket>",
                       {"Location": place + request.target})

    @staticmethod
    def _garbage(_):
        return Answer(200, b"<html><body>Welcome to the hotel's network</body></html>", {"Content-Type": "text/html"})

    def _pretend(self, request):
        """A good answer to something that is not done."""
        if request.op == "abort":
            upload = self.buckets[request.bucket].uploads.get(request.query.get("uploadId"))
            if upload:
                upload.zombie = True
            return Answer(204)
        if request.op in ("part", "put"):
            headers = {"ETag": '"' + hashlib.md5(request.body).hexdigest() + '"'}
            for kind in checksums.KINDS:
                if "x-amz-checksum-" + kind in request.headers:
                    headers["x-amz-checksum-" + kind] = request.headers["x-amz-checksum-" + kind]
            return Answer(200, b"", headers)
        if request.op == "complete":
            return Answer(200, document("CompleteMultipartUploadResult", "<ETag>&quot;x-1&quot;</ETag>"))
        return Answer(200)

    def _twist(self, connection, request, answer):
        act, good = request.act, answer.status < 300
        if act == "drop":
            request.entry["status"] = "dropped"
            request.entry["would"] = answer.status
            self._reset(connection)
        if act == "etag" and good:
            answer.headers["ETag"] = '"deadbeefdeadbeefdeadbeefdeadbeef"'
        if act == "noetag":
            answer.headers.pop("ETag", None)
        if act in ("sum", "nosum"):
            for name in [n for n in answer.headers if n.startswith("x-amz-checksum-") and n[15:] in checksums.KINDS]:
                if act == "sum":
                    size = len(base64.b64decode(answer.headers[name]))
                    answer.headers[name] = base64.b64encode(b"\x5a" * size).decode()
                else:
                    del answer.headers[name]
            if request.op == "complete":
                keep = "" if act == "nosum" else r"\1WldaWldaWlc=\3"
                answer.body = re.sub(rb"(<Checksum(?!Type)\w+>)([^<]*)(</Checksum\w+>)", keep.encode(), answer.body)
        if act == "nothttp":
            request.entry["status"] = "nothttp"
            connection.sendall(b"220 mail.example.net ESMTP ready\r\n")
            raise Gone
        if act == "hugehead":
            for i in range(200):
                answer.headers[f"x-filler-{i}"] = "f" * 1000
        if act == "hugebody":
            answer = Answer(200, b'<?xml version="1.0"?>\n<Huge>' + b"<a>b</a>" * (20 * MIB // 8) + b"</Huge>")
        if act in ("okerror", "spaceserror"):
            answer.status = 200
        if act == "badxml":
            answer.body = answer.body[:len(answer.body) // 2]
        self._send(connection, request, answer)
        return act not in ("trunc", "close")

    # ---- answers ----------------------------------------------------------------------------------------------------
    def _send(self, connection, request, answer):
        self._landed(request)
        request.entry["status"] = answer.status
        if getattr(answer, "code", None):
            request.entry["code"] = answer.code
        headers = {"x-amz-request-id": "SCRIPTED%d" % len(self.log), "x-amz-id-2": "host/of+scripted=",
                   "Date": formatdate(self.now(), usegmt=True), "Server": "ScriptedS3"}
        headers.update(answer.headers)
        spaces = request.act in ("spaces", "spaceserror")
        chunked = (self.chunked_answers or spaces) and answer.body and request.method != "HEAD"
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif answer.status not in (204, 304):
            headers["Content-Length"] = str(answer.length if answer.length is not None else len(answer.body))
        head = f"HTTP/1.1 {answer.status} Scripted\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        body = b"" if request.method == "HEAD" or answer.status == 204 else answer.body
        if request.act == "trunc":
            connection.sendall(head.encode("latin-1") + body[:len(body) // 2])
            return
        if not chunked:
            connection.sendall(head.encode("latin-1") + body)
            return
        connection.sendall(head.encode("latin-1"))
        pieces = [body[i:i + 4000] for i in range(0, len(body), 4000)]
        if spaces:
            declaration, _, rest = body.partition(b"\n")
            count = int(request.arg) if request.act == "spaces" and request.arg else 5
            pieces = [declaration + b"\n"] + [b" "] * count + [rest]
        for piece in pieces:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if piece == b" ":
                self._wait(0.2)
        connection.sendall(b"0\r\n\r\n")

    # ---- control from outside ---------------------------------------------------------------------------------------
    def _control(self, request):
        what = request.raw_path[len("/_ctl/"):]
        given = json.loads(request.body or b"{}")
        if what == "rule":
            self.rule(**given)
        elif what == "set":
            for name, value in given.items():
                assert hasattr(self, name), name
                setattr(self, name, value)
        elif what == "reset":
            with self.lock:
                self.rules.clear()
                self.log.clear()
                self.counts.clear()
        elif what == "log":
            return Answer(200, "".join(json.dumps(e) + "\n" for e in self.log).encode())
        elif what == "state":
            state = {name: {"objects": {k: {"size": len(o.data), "etag": o.etag, "checksum": o.checksum, "kept": o.kept}
                                        for k, o in b.objects.items()},
                            "uploads": {i: {"key": u.key, "parts": sorted(u.parts)} for i, u in b.uploads.items()}}
                     for name, b in self.buckets.items()}
            return Answer(200, json.dumps({"buckets": state, "trouble": self.trouble, "hits": self.hits()}).encode())
        else:
            return failure("MethodNotAllowed", status=405)
        return Answer(200, b"{}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--bucket", action="append")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--key", nargs=2, metavar=("ID", "SECRET"), default=("AKIDSCRIPTED", "scripted/secret+key"))
    options = parser.parse_args()
    keys = {options.key[0]: Key(options.key[1])}
    with ScriptedS3(options.bucket or ("test-bucket",), keys, options.tls, options.port,
                    options.region) as server:
        print(json.dumps({"url": server.url, "ca": options.tls[0] if options.tls else None}), flush=True)
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
