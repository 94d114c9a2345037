"""Small servers that play where credentials come from: EC2's metadata (IMDSv2), ECS and EKS containers, STS. Each has
its own port; what it hands out may be real (a session of a gateway's STS) or one that the scripted S3 knows.

`credentials` is a list of dictionaries {access, secret, token, expiration (RFC 3339)}: one for each fetch, the last one
again and again; with `seconds`, that is how long they live from the fetch on. `requests` logs (method, path, status). `fail` is the number of fetches that are answered by 500."""
import hashlib
import http.server
import json
import threading
import time
import urllib.parse
import xml.sax.saxutils

import sigv4

STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def rfc3339(seconds_from_now):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_from_now))


class Player:
    """A server of one kind; `with`, or close()."""

    def __init__(self, credentials):
        self.credentials, self.given, self.fail = list(credentials), 0, 0
        self.requests, self.lock = [], threading.Lock()
        player = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                status, text, headers = player.play(self.command, self.path, {
                                                    k.lower(): v for k, v in self.headers.items()}, body)
                player.requests.append((self.command, self.path, status))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def next(self):
        """The credentials for one more fetch; None: this one is to fail."""
        with self.lock:
            if self.fail > 0:
                self.fail -= 1
                return None
            one = self.credentials[min(self.given, len(self.credentials) - 1)]
            self.given += 1
            return {**one, "expiration": rfc3339(one["seconds"])} if "seconds" in one else one

    def play(self, method, path, headers, body):
        raise NotImplementedError


def as_json(one, **more):
    return json.dumps({**more, "AccessKeyId": one["access"], "SecretAccessKey": one["secret"], "Token": one["token"],
                       "Expiration": one["expiration"]}).encode()


class Imds(Player):
    """IMDSv2: without a token of its own nothing is told (401). `role` None: an instance without a role (404)."""

    def __init__(self, credentials, role="test-role", region="eu-central-1"):
        self.role, self.region, self.tokens = role, region, {}
        super().__init__(credentials)

    def play(self, method, path, headers, body):
        if path == "/latest/api/token":
            life = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            if method != "PUT":
                return 405, b"", {}
            if "x-forwarded-for" in headers:
                return 403, b"", {}
            if not life.isdigit() or not 1 <= int(life) <= 21600:
                return 400, b"", {}
            token = f"imds-token-{len(self.tokens)}=="
            self.tokens[token] = time.time() + int(life)
            return 200, token.encode(), {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": life}
        if self.tokens.get(headers.get("x-aws-ec2-metadata-token"), 0) < time.time():
            return 401, b"", {}
        if path == "/latest/meta-data/placement/region":
            return 200, self.region.encode(), {}
        folder = "/latest/meta-data/iam/security-credentials/"
        if path == folder and self.role:
            return 200, self.role.encode(), {}
        if path == folder + str(self.role):
            one = self.next()
            if one is None:
                return 500, b"", {}
            return 200, as_json(one, Code="Success", Type="AWS-HMAC", LastUpdated=rfc3339(0)), {}
        return 404, b"", {}


class Container(Player):
    """ECS and EKS Pod Identity: GET /creds, with `authorization` as the Authorization header when it is given."""

    def __init__(self, credentials, authorization=None):
        self.authorization = authorization
        super().__init__(credentials)

    def play(self, method, path, headers, body):
        if method != "GET" or path != "/creds":
            return 404, b"", {}
        if headers.get("authorization") != self.authorization:
            return 403, b'{"code":"AccessDenied","message":"no"}', {}
        one = self.next()
        if one is None:
            return 500, b'{"code":"InternalServerError","message":"try again"}', {}
        return 200, as_json(one, RoleArn="arn:aws:iam::111122223333:role/task"), {"Content-Type": "application/json"}


class Sts(Player):
    """AssumeRole, whose signature is verified with `keys` {access key: secret}, and AssumeRoleWithWebIdentity, which
    brings `web_token`. `wanted`: parameters that a call must have (RoleArn, ExternalId, ...), else AccessDenied."""

    def __init__(self, credentials, keys=None, web_token=None, wanted=None):
        self.keys, self.web_token, self.wanted, self.calls = keys or {}, web_token, wanted or {}, []
        super().__init__(credentials)

    @staticmethod
    def error(status, code, message):
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f'<ErrorResponse xmlns="{STS_NAMESPACE}">{inner}</ErrorResponse>'
        return status, text.encode(), {"Content-Type": "text/xml"}

    def play(self, method, path, headers, body):
        query = body.decode() if method == "POST" else path.partition("?")[2]
        given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.calls.append(given)
        action = given.get("Action")
        if action not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
            return self.error(400, "InvalidAction", "no such action")
        if action == "AssumeRole":
            try:
                self.check_signature(method, path, headers, body)
            except sigv4.Refused as refused:
                return self.error(refused.status, refused.code, refused.message)
        elif given.get("WebIdentityToken") != self.web_token:
            return self.error(400, "InvalidIdentityToken", "the token is not the one of the file")
        if not given.get("RoleSessionName") or any(given.get(n) != v for n, v in self.wanted.items()):
            return self.error(403, "AccessDenied", "is not authorized to perform: sts:" + action)
        one = self.next()
        if one is None:
            return self.error(500, "InternalFailure", "try again")
        inner = "".join(f"<{name}>{xml.sax.saxutils.escape(one[key])}</{name}>" for name, key in (
            ("AccessKeyId", "access"), ("SecretAccessKey", "secret"), ("SessionToken", "token"),
            ("Expiration", "expiration")))
        inner = ("<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn><AssumedRoleId>A:s"
                 f"</AssumedRoleId></AssumedRoleUser><Credentials>{inner}</Credentials>")
        inner = (f"<{action}Result>{inner}</{action}Result><ResponseMetadata><RequestId>STS</RequestId>"
                 "</ResponseMetadata>")
        return 200, f'<{action}Response xmlns="{STS_NAMESPACE}">{inner}</{action}Response>'.encode(), {
            "Content-Type": "text/xml"}

    def check_signature(self, method, path, headers, body):
        access, scope, names, mark = sigv4.parse_authorization(headers.get("authorization", ""))
        if access not in self.keys:
            raise sigv4.Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if scope.split("/")[2] != "sts":
            raise sigv4.Refused(403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'.")
        raw_path, _, raw_query = path.partition("?")
        canonical = sigv4.canonical_request(method, raw_path, raw_query, headers,
                                            names, hashlib.sha256(body).hexdigest())
        right = sigv4.signature(self.keys[access], scope, sigv4.string_to_sign(canonical, headers.get(
                                "x-amz-date", ""), scope))
        if right != mark or "host" not in names:
            raise sigv4.Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
