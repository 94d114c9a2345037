"""AWS Signature Version 4 in plain Python, in headers: signs for the tests' own client, and computes what a request
that came in should have been signed with. A second implementation: it shares nothing with the C code.

Facts: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. S3's rules by default: the path is encoded
once and not normalised; other services encode it twice (the players of STS get "/" only, where both are the same).
"""
import datetime
import hashlib
import hmac
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()


def encode(text, safe=""):
    return urllib.parse.quote(text, safe="-_.~" + safe)


def decode(text):
    """Percent signs are decoded; a plus sign is a plus sign."""
    return urllib.parse.unquote(text, errors="surrogateescape")


def split_query(raw):
    """[(name, value)] of a raw query, decoded."""
    pairs = []
    for piece in raw.split("&") if raw else []:
        name, _, value = piece.partition("=")
        pairs.append((decode(name), decode(value)))
    return pairs


def canonical_request(method, raw_path, raw_query, headers, signed_names, payload_hash):
    """`headers`: {lower-case name: value}. The canonical path is the decoded one, encoded by the rules: however a
    client wrote it on the line."""
    path = urllib.parse.quote(urllib.parse.unquote_to_bytes(raw_path), safe="-_.~/")
    query = "&".join(sorted(f"{encode(n)}={encode(v)}" for n, v in split_query(raw_query)))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed_names)
    return "\n".join([method, path, query, lines, ";".join(signed_names), payload_hash])


def string_to_sign(canonical, amz_date, scope):
    return "\n".join([ALGORITHM, amz_date, scope, hashlib.sha256(
        canonical.encode("utf-8", "surrogateescape")).hexdigest()])


def signature(secret, scope, text):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def amz_date(seconds=None):
    when = datetime.datetime.now(datetime.timezone.utc) if seconds is None else \
        datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y%m%dT%H%M%SZ")


def sign(method, host, raw_path, raw_query, headers, body, keys, region, service="s3", when=None, payload_hash=None):
    """The headers to send, `headers` among them. `keys`: (access key, secret, session token or None)."""
    access, secret, token = keys
    out = {name.lower(): value for name, value in headers.items()}
    out["host"] = host
    out["x-amz-date"] = amz_date(when)
    if token:
        out["x-amz-security-token"] = token
    payload_hash = payload_hash or hashlib.sha256(body).hexdigest()
    if service == "s3":
        out["x-amz-content-sha256"] = payload_hash
    names = sorted(out)
    scope = f"{out['x-amz-date'][:8]}/{region}/{service}/aws4_request"
    canonical = canonical_request(method, raw_path, raw_query, out, names, payload_hash)
    mark = signature(secret, scope, string_to_sign(canonical, out["x-amz-date"], scope))
    out["authorization"] = f"{ALGORITHM} Credential={access}/{scope}, SignedHeaders={';'.join(names)}, Signature={mark}"
    return out


class Refused(Exception):
    """A signature that is not accepted: S3's code, the HTTP status, a sentence, and more elements of the answer."""

    def __init__(self, status, code, message, **more):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.more = status, code, message, more


def parse_authorization(value):
    """(access key, scope, signed names, signature)"""
    if not value.startswith(ALGORITHM + " "):
        raise Refused(400, "InvalidRequest", "The authorization mechanism you have provided is not supported.")
    fields = {}
    for piece in value[len(ALGORITHM):].split(","):
        name, _, text = piece.strip().partition("=")
        fields[name] = text
    try:
        access, scope = fields["Credential"].split("/", 1)
        names = fields["SignedHeaders"].split(";")
        mark = fields["Signature"]
    except (KeyError, ValueError) as error:
        raise Refused(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.") from error
    if len(scope.split("/")) != 4 or not scope.endswith("/aws4_request"):
        raise Refused(400, "AuthorizationHeaderMalformed", "The scope of the credential is malformed.")
    return access, scope, names, mark
