"""What the scripted S3 (scripted_s3.py) keeps and says: keys, buckets, objects, uploads, requests and answers."""
import re
import time
from xml.sax.saxutils import escape

MIB = 1 << 20
PART_MIN = 5 * MIB
SKEW = 15 * 60
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
OPS = ("head_bucket", "create", "part", "complete", "abort", "list_parts", "list_uploads", "put", "head", "get",
       "delete", "list_objects", "location", "create_bucket", "other")
# HTTP statuses of S3's codes; 400 where it is not here.
STATUS = {"SlowDown": 503, "ServiceUnavailable": 503, "InternalError": 500, "TooManyRequests": 429, "AccessDenied": 403,
          "InvalidAccessKeyId": 403, "SignatureDoesNotMatch": 403, "RequestTimeTooSkewed": 403, "NoSuchUpload": 404,
          "NoSuchBucket": 404, "NoSuchKey": 404, "PreconditionFailed": 412, "ConditionalRequestConflict": 409,
          "OperationAborted": 409, "NotImplemented": 501, "PermanentRedirect": 301, "TemporaryRedirect": 307,
          "MethodNotAllowed": 405, "InvalidRange": 416, "BadGateway": 502, "GatewayTimeout": 504}
STORAGE_CLASSES = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR",
                   "DEEP_ARCHIVE", "REDUCED_REDUNDANCY", "EXPRESS_ONEZONE")
ACLS = ("private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
        "bucket-owner-full-control")
# What Create and Put store with an object, and HEAD shows again.
KEPT = re.compile(r"content-(type|encoding|disposition|language)$|cache-control$|x-amz-meta-|"
                  r"x-amz-(storage-class|acl|tagging|server-side-encryption.*|object-lock-.*)$")
SHOWN = re.compile(r"content-(type|encoding|disposition|language)$|cache-control$|x-amz-meta-|"
                   r"x-amz-(storage-class|server-side-encryption.*)$")
LOGGED = re.compile(r"x-amz-(?!security-token|date)|content-(length|type|md5|encoding)$|if-|range$|expect$|host$|"
                    r"user-agent$|connection$|transfer-encoding$")


class Gone(Exception):
    """The connection is of no more use."""


class Key:
    """Credentials that the server knows. `deny`: operations that they have no right to."""

    def __init__(self, secret, token=None, account="111122223333", expires=None, deny=()):
        self.secret, self.token, self.account, self.expires, self.deny = secret, token, account, expires, set(deny)


class Bucket:
    def __init__(self, region="eu-central-1", owner="111122223333", deny=False):
        self.region, self.owner, self.deny = region, owner, deny
        self.objects, self.uploads = {}, {}
        self.completed = {}  # upload id -> the answer's body: Complete again gives it again


class Stored:
    """An object."""

    def __init__(self, data, etag, kept, checksum=None, kind=None, parts=0):
        self.data, self.etag, self.kept, self.parts = data, etag, kept, parts
        self.checksum, self.kind = checksum, kind  # text, name
        self.modified = time.time()


class Upload:
    def __init__(self, key, kept, kind, form, initiated):
        self.key, self.kept, self.kind, self.form, self.initiated = key, kept, kind, form, initiated
        self.parts = {}  # number -> (data, etag, checksum text)
        self.zombie = False  # an abort was answered but not done


class Request:
    def __init__(self):
        self.method = self.target = self.raw_path = self.raw_query = ""
        self.headers, self.query, self.body = {}, {}, b""
        self.op = "other"
        self.bucket = self.key = None
        self.length, self.chunked = 0, False
        self.act, self.arg = None, None
        self.counted = False  # among those that are under way
        self.entry = {}


class Answer:
    def __init__(self, status, body=b"", headers=None):
        self.status, self.body, self.headers = status, body, dict(headers or {})
        self.length = None  # of HEAD


def failure(code, message="", status=None, xml_more="", headers=None, resource=""):
    body = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>' + escape(code) + "</Code><Message>" +
            escape(message or "scripted " + code) + "</Message>" + xml_more + "<Resource>" + escape(resource) +
            "</Resource><RequestId>SCRIPTED</RequestId><HostId>host/of+scripted=</HostId></Error>")
    answer = Answer(status or STATUS.get(code, 400), body.encode(), {"Content-Type": "application/xml"})
    answer.headers.update(headers or {})
    answer.code = code
    return answer


def document(root, inner):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{inner}</{root}>').encode()


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
