"""A plain S3 client for the tests: signs with sigv4.py, reads deliveries back, lists what was left, asks STS. It speaks
to real servers and to the scripted one."""
import http.client
import ssl
import urllib.parse
import xml.etree.ElementTree

import sigv4


class S3Error(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]!r}")
        self.status, self.body = status, body


def texts(element, name):
    return [e.text or "" for e in element.iter() if e.tag.split("}")[-1] == name]


class Client:
    def __init__(self, url, keys, region="us-east-1", ca=None):
        """`keys`: (access key, secret) or (access key, secret, session token)."""
        parts = urllib.parse.urlsplit(url)
        self.tls, self.host, self.port = parts.scheme == "https", parts.hostname, parts.port
        self.keys = tuple(keys) + (None,) * (3 - len(keys))
        self.region, self.ca = region, ca

    def call(self, method, path, query=None, body=b"", headers=None, service="s3", good=(200, 204, 206)):
        """(status, headers, body). `path`: as meant, not encoded."""
        raw_path = sigv4.encode(path, "/")
        raw_query = "&".join(f"{sigv4.encode(n)}={sigv4.encode(str(v))}" for n, v in sorted((query or {}).items()))
        host = f"{self.host}:{self.port}"
        signed = sigv4.sign(method, host, raw_path, raw_query, headers or {}, body, self.keys, self.region, service)
        if self.tls:
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=120, context=context)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            connection.request(method, raw_path + ("?" + raw_query if raw_query else ""), body, signed)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status not in good:
                raise S3Error(answer.status, data)
            return answer.status, {n.lower(): v for n, v in answer.getheaders()}, data
        finally:
            connection.close()

    def make_bucket(self, bucket):
        self.call("PUT", "/" + bucket)

    def put(self, bucket, key, body, **headers):
        return self.call("PUT", f"/{bucket}/{key}", body=body, headers=headers)[1]

    def get(self, bucket, key):
        return self.call("GET", f"/{bucket}/{key}")[2]

    def head(self, bucket, key, **headers):
        return self.call("HEAD", f"/{bucket}/{key}", headers=headers)[1]

    def delete(self, bucket, key):
        self.call("DELETE", f"/{bucket}/{key}")

    def keys_of(self, bucket, prefix=""):
        found, token = [], None
        while True:
            query = {"list-type": "2", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            root = xml.etree.ElementTree.fromstring(self.call("GET", "/" + bucket, query)[2])
            found += texts(root, "Key")
            token = (texts(root, "NextContinuationToken") or [None])[0]
            if not token:
                return found

    def objects(self, bucket, prefix=""):
        return {key: self.get(bucket, key) for key in self.keys_of(bucket, prefix)}

    def uploads(self, bucket):
        """[(key, upload id)]"""
        root = xml.etree.ElementTree.fromstring(self.call("GET", "/" + bucket, {"uploads": ""})[2])
        return [(texts(u, "Key")[0], texts(u, "UploadId")[0]) for u in root if u.tag.split("}")[-1] == "Upload"]

    def create_upload(self, bucket, key, **headers):
        root = xml.etree.ElementTree.fromstring(
            self.call("POST", f"/{bucket}/{key}", {"uploads": ""}, headers=headers)[2])
        return texts(root, "UploadId")[0]

    def upload_part(self, bucket, key, upload, number, body, **headers):
        return self.call("PUT", f"/{bucket}/{key}", {"partNumber": number, "uploadId": upload}, body, headers)[1]

    def complete(self, bucket, key, upload, etags, **headers):
        inner = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in enumerate(etags, 1))
        body = f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()
        return self.call("POST", f"/{bucket}/{key}", {"uploadId": upload}, body, headers)[2]

    def abort(self, bucket, key, upload):
        self.call("DELETE", f"/{bucket}/{key}", {"uploadId": upload})

    def assume_role(self, role, seconds=900):
        """(access key, secret, session token, expiration) of a real STS."""
        body = urllib.parse.urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role,
                                       "RoleSessionName": "penstock-test", "DurationSeconds": seconds}).encode()
        data = self.call("POST", "/", None, body, {"content-type": "application/x-www-form-urlencoded"}, "sts")[2]
        root = xml.etree.ElementTree.fromstring(data)
        return tuple(texts(root, n)[0] for n in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"))
