"""What the scripted S3 (scripted_s3.py) does: it finds out who asks, and carries out what is asked, as
docs.aws.amazon.com/AmazonS3/latest/API says. Mixed into ScriptedS3, whose attributes these functions use."""
import base64
import calendar
import hashlib
import random
import re
import time
import xml.etree.ElementTree
from email.utils import formatdate
from xml.sax.saxutils import escape

import checksums
import sigv4
from scripted_model import (ACLS, KEPT, PART_MIN, SHOWN, SKEW, STORAGE_CLASSES, Answer, Bucket, Stored, Upload,
                            document, failure, iso)


class Guard:
    """Signature, clock, region, token, rights."""

    def _authenticate(self, request):
        """None: the signature is right and the key has the right; else the answer."""
        try:
            account = self._check_signature(request)
        except sigv4.Refused as refused:
            request.entry["refused"] = refused.code
            more = "".join(f"<{n}>{escape(str(v))}</{n}>" for n, v in refused.more.items())
            headers = {"x-amz-bucket-region": refused.more["Region"]} if refused.more.get("Region") else {}
            answer = failure(refused.code, refused.message, refused.status, more, headers, request.raw_path)
            return self._bare(request, answer)
        bucket = self.buckets.get(request.bucket)
        if bucket is None:
            if request.op == "create_bucket":
                return None
            return self._bare(request, failure("NoSuchBucket", "The specified bucket does not exist"))
        denied = bucket.deny or request.op in self.keys[request.entry["access_key"]].deny
        owner = request.headers.get("x-amz-expected-bucket-owner")
        if owner is not None and not re.fullmatch(r"\d{12}", owner):
            return self._bare(request, failure("InvalidRequest", "The value of the expected bucket owner is wrong"))
        if denied or account is None or (owner is not None and owner != bucket.owner):
            return self._bare(request, failure("AccessDenied", "Access Denied"))
        return None

    @staticmethod
    def _bare(request, answer):
        if request.method == "HEAD":  # S3 sends no body, so no code, there
            answer.body = b""
        return answer

    def _check_signature(self, request):
        headers = request.headers
        if "authorization" not in headers:
            raise sigv4.Refused(403, "AccessDenied", "Access Denied")
        access, scope, names, mark = sigv4.parse_authorization(headers["authorization"])
        request.entry["access_key"] = access
        key = self.keys.get(access)
        if key is None:
            raise sigv4.Refused(403, "InvalidAccessKeyId",
                                "The AWS Access Key Id you provided does not exist in our records.",
                                AWSAccessKeyId=access)
        self._check_scope(request, scope)
        missing = [n for n in headers if (n.startswith("x-amz-") or n == "host") and n not in names]
        if missing or names != sorted(names) or any(n not in headers for n in names):
            raise sigv4.Refused(403, "AccessDenied", "There were headers present in the request which were not signed",
                                HeadersNotSigned=",".join(missing))
        amz_date = headers.get("x-amz-date", "")
        if amz_date[:8] != scope[:8]:
            raise sigv4.Refused(400, "AuthorizationHeaderMalformed", "Invalid credential date.")
        payload = headers.get("x-amz-content-sha256")
        if payload is None:
            raise sigv4.Refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        canonical = sigv4.canonical_request(request.method, request.raw_path, request.raw_query, headers, names,
                                            payload)
        right = sigv4.signature(key.secret, scope, sigv4.string_to_sign(canonical, amz_date, scope))
        if right != mark:
            raise sigv4.Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the "
                                "signature you provided. Check your key and signing method.",
                                CanonicalRequest=canonical)
        self._check_token(key, headers)
        self._check_clock(amz_date)
        request.entry["payload"] = "unsigned" if payload == sigv4.UNSIGNED else "signed"
        if payload.startswith("STREAMING-"):
            raise sigv4.Refused(501, "NotImplemented", "aws-chunked uploads are not scripted")
        if payload != sigv4.UNSIGNED and payload != hashlib.sha256(request.body).hexdigest():
            raise sigv4.Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not "
                                "match what was computed.")
        return key.account

    def _check_scope(self, request, scope):
        bucket = self.buckets.get(request.bucket)
        _, region, service, _ = scope.split("/")
        request.entry["region"] = region
        if service != "s3":
            raise sigv4.Refused(400, "AuthorizationHeaderMalformed", "incorrect service")
        if bucket and region != bucket.region:
            more = {"Region": bucket.region} if self.region_hint else {}
            raise sigv4.Refused(400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; the "
                                f"region '{region}' is wrong; expecting '{bucket.region}'", **more)

    def _check_token(self, key, headers):
        token = headers.get("x-amz-security-token")
        if key.token is None and token is not None:
            raise sigv4.Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        if key.token is not None and token is None:
            raise sigv4.Refused(403, "InvalidAccessKeyId",
                                "The AWS Access Key Id you provided does not exist in our records.")
        if key.token != token:
            raise sigv4.Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        if key.expires is not None and self.now() > key.expires:
            raise sigv4.Refused(400, "ExpiredToken", "The provided token has expired.")

    def _check_clock(self, amz_date):
        try:
            theirs = calendar.timegm(time.strptime(amz_date, "%Y%m%dT%H%M%SZ"))
        except ValueError as error:
            raise sigv4.Refused(403, "AccessDenied", "x-amz-date is malformed") from error
        if abs(theirs - self.now()) > SKEW:
            raise sigv4.Refused(403, "RequestTimeTooSkewed", "The difference between the request time and the current "
                                "time is too large.", RequestTime=amz_date, ServerTime=iso(self.now()))


class Operations:
    """The operations, each under the server's lock."""

    def _perform(self, request):
        with self.lock:
            bucket = self.buckets.get(request.bucket)
            wrong = self._check_checksum_headers(request)
            answer = wrong or getattr(self, "_do_" + request.op)(request, bucket)
        if answer.status >= 400 and request.method == "HEAD":
            answer.body = b""
        return answer

    def _check_checksum_headers(self, request):
        names = [n for n in request.headers if re.match(r"x-amz-(sdk-)?checksum-", n) and n != "x-amz-checksum-mode"]
        if names and self.checksums == "refuse":
            return failure("NotImplemented", "A header you provided implies functionality that is not implemented",
                           xml_more=f"<Header>{names[0]}</Header>")
        if names and self.checksums == "refuse400":
            return failure("InvalidArgument", f"Unsupported header '{names[0]}' received for this API call.")
        if "content-md5" in request.headers:
            if base64.b64encode(hashlib.md5(request.body).digest()).decode() != request.headers["content-md5"]:
                return failure("BadDigest", "The Content-MD5 you specified did not match what we received.")
        if self.checksums != "verify" or request.op not in ("part", "put"):
            return None
        sums = [n for n in checksums.KINDS if "x-amz-checksum-" + n in request.headers]
        if len(sums) > 1:
            return failure("InvalidRequest",
                           "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
        for kind in sums:
            if checksums.text(kind, request.body) != request.headers["x-amz-checksum-" + kind]:
                return failure("BadDigest", f"The {kind.upper()} you specified did not match the calculated checksum.")
        return None

    def _checksum_of(self, request, data):
        """(kind, text) that is stored with an object put whole."""
        if self.checksums != "verify":
            return None, None
        kind = next((k for k in checksums.KINDS if "x-amz-checksum-" + k in request.headers), "crc64nvme")
        return kind, checksums.text(kind, data)

    def _check_options(self, request):
        """Encryption, class, ACL, tags and metadata of Create and Put."""
        headers = request.headers
        sse = headers.get("x-amz-server-side-encryption")
        if sse is not None and sse not in ("AES256", "aws:kms", "aws:kms:dsse"):
            return failure("InvalidArgument", "The encryption method specified is not supported")
        if "x-amz-server-side-encryption-aws-kms-key-id" in headers and sse not in ("aws:kms", "aws:kms:dsse"):
            return failure("InvalidArgument", "Server Side Encryption with AWS KMS managed key requires HTTP header "
                           "x-amz-server-side-encryption : aws:kms")
        if headers.get("x-amz-storage-class", "STANDARD") not in STORAGE_CLASSES:
            return failure("InvalidStorageClass", "The storage class you specified is not valid")
        acl = headers.get("x-amz-acl")
        if acl is not None and acl not in ACLS:
            return failure("InvalidArgument", "")
        if acl is not None and self.bucket_owner_enforced and acl != "bucket-owner-full-control":
            return failure("AccessControlListNotSupported", "The bucket does not allow ACLs")
        tags = sigv4.split_query(headers.get("x-amz-tagging", ""))
        if len(tags) > 10 or len({n for n, _ in tags}) != len(tags) or any(not n for n, _ in tags):
            return failure("InvalidArgument",
                           "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL "
                           "query parameters without tag name duplicates.")
        if any(ord(c) < 32 or ord(c) > 126 for n, v in headers.items() if n.startswith("x-amz-") for c in n + v):
            return failure("InvalidArgument", "Header values must be ASCII")
        return None

    @staticmethod
    def _kept(request):
        return {n: v for n, v in request.headers.items() if KEPT.match(n)}

    @staticmethod
    def _sse_echo(kept):
        return {n: v for n, v in kept.items() if n.startswith("x-amz-server-side-encryption")}

    def _check_if_none_match(self, request, bucket):
        if "if-none-match" not in request.headers:
            return None
        if self.if_none_match == "refuse":
            return failure("NotImplemented", "A header you provided implies functionality that is not implemented",
                           xml_more="<Header>If-None-Match</Header>")
        if request.headers["if-none-match"] != "*":
            return failure("NotImplemented", "If-None-Match takes * only")
        if self.if_none_match == "honour" and request.key in bucket.objects:
            return failure("PreconditionFailed", "At least one of the pre-conditions you specified did not hold",
                           xml_more="<Condition>If-None-Match</Condition>")
        return None

    def _do_head_bucket(self, _, bucket):
        return Answer(200, b"", {"x-amz-bucket-region": bucket.region})

    def _do_location(self, _, bucket):
        return Answer(200, document("LocationConstraint", bucket.region))

    def _do_create_bucket(self, request, bucket):
        if bucket:
            return failure("BucketAlreadyOwnedByYou", status=409)
        self.buckets[request.bucket] = Bucket()
        return Answer(200)

    def _do_other(self, _request, _bucket):
        return failure("MethodNotAllowed", status=405)

    def _do_create(self, request, bucket):
        wrong = self._check_options(request)
        if wrong:
            return wrong
        kind = request.headers.get("x-amz-checksum-algorithm", "").lower() or None
        form = request.headers.get("x-amz-checksum-type")
        if kind is not None and kind not in checksums.KINDS:
            return failure("InvalidRequest",
                           "Checksum algorithm provided is unsupported. Please try again with any of the "
                           "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        if form is not None and (kind is None or form not in ("FULL_OBJECT", "COMPOSITE")):
            return failure("InvalidRequest", "The x-amz-checksum-type header can only be used with the "
                           "x-amz-checksum-algorithm header.")
        if (kind == "crc64nvme" and form == "COMPOSITE") or (kind in ("sha1", "sha256") and form == "FULL_OBJECT"):
            return failure("InvalidRequest",
                           f"The {form} checksum type cannot be used with the {kind} checksum algorithm.")
        if form is None:
            form = "COMPOSITE" if kind not in (None, "crc64nvme") else "FULL_OBJECT"
        if self.checksums != "verify":
            kind = None
        upload_id = "upload.%d.%08x_-" % (len(self.log), random.getrandbits(32))
        bucket.uploads[upload_id] = Upload(request.key, self._kept(request), kind, form, self.now())
        headers = self._sse_echo(self._kept(request))
        if kind:
            headers.update({"x-amz-checksum-algorithm": kind.upper(), "x-amz-checksum-type": form})
        return Answer(200, document("InitiateMultipartUploadResult", f"<Bucket>{request.bucket}</Bucket><Key>"
                                    f"{escape(request.key)}</Key><UploadId>{upload_id}</UploadId>"), headers)

    def _upload(self, request, bucket):
        upload = bucket.uploads.get(request.query.get("uploadId"))
        return upload if upload and upload.key == request.key else None

    @staticmethod
    def _no_upload():
        return failure("NoSuchUpload",
                       "The specified multipart upload does not exist. The upload ID may be invalid, or the "
                       "upload may have been aborted or completed.")

    def _do_part(self, request, bucket):
        upload = self._upload(request, bucket)
        number = request.entry["part"]
        if upload is None:
            return self._no_upload()
        if number is None or not 1 <= number <= 10000:
            return failure("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        given = next((k for k in checksums.KINDS if "x-amz-checksum-" + k in request.headers), None)
        headers = {"ETag": '"' + hashlib.md5(request.body).hexdigest() + '"'}
        checksum = None
        if self.checksums == "verify":
            if given and upload.kind and given != upload.kind:
                return failure("InvalidRequest",
                               f"Checksum Type mismatch occurred, expected checksum Type: {upload.kind}, "
                               f"actual checksum Type: {given}")
            if upload.kind and not given and upload.form == "COMPOSITE":
                return failure("InvalidRequest",
                               f"Checksum Type mismatch occurred, expected checksum Type: {upload.kind}, "
                               "actual checksum Type: null")
            kind = upload.kind or given or "crc64nvme"
            checksum = checksums.text(kind, request.body)
            headers["x-amz-checksum-" + kind] = checksum
        headers.update(self._sse_echo(upload.kept))
        upload.parts[number] = (request.body, headers["ETag"], checksum)
        return Answer(200, b"", headers)

    def _do_complete(self, request, bucket):
        upload_id = request.query.get("uploadId")
        if upload_id in bucket.completed and self.complete_again:
            if self.complete_again == "412" and "if-none-match" in request.headers:
                return failure("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
            return Answer(200, bucket.completed[upload_id], {"Content-Type": "application/xml"})
        upload = self._upload(request, bucket)
        if upload is None:
            return self._no_upload()
        try:
            root = xml.etree.ElementTree.fromstring(request.body)
            named = [{child.tag.split("}")[-1]: child.text or "" for child in part}
                     for part in root if part.tag.split("}")[-1] == "Part"]
            numbers = [int(part["PartNumber"]) for part in named]
        except (xml.etree.ElementTree.ParseError, KeyError, ValueError):
            return failure("MalformedXML", "The XML you provided was not well-formed or did not validate")
        wrong = self._check_parts(upload, named, numbers) or self._check_whole(request, upload, numbers) \
            or self._check_if_none_match(request, bucket)
        if wrong:
            return wrong
        data = b"".join(upload.parts[n][0] for n in numbers)
        digest = hashlib.md5(b"".join(bytes.fromhex(upload.parts[n][1].strip('"')) for n in numbers)).hexdigest()
        etag = f'"{digest}-{len(numbers)}"'
        kind = (upload.kind or "crc64nvme") if self.checksums == "verify" else None
        checksum = None
        if kind:
            checksum = checksums.text(kind, data)
            if upload.form == "COMPOSITE":
                joined = b"".join(base64.b64decode(upload.parts[n][2]) for n in numbers)
                checksum = f"{checksums.text(kind, joined)}-{len(numbers)}"
        form = upload.form
        inner_checksum = checksum
        if self.one_part_quirk and kind and len(numbers) == 1 and form == "FULL_OBJECT":
            form, checksum = "COMPOSITE", checksum + "-1"
        stored = Stored(data, etag, upload.kept, checksum, kind, len(numbers))
        stored.form = form
        bucket.objects[request.key] = stored
        del bucket.uploads[upload_id]
        inner = (f"<Location>{self.url}{escape(request.raw_path)}</Location><Bucket>{request.bucket}</Bucket><Key>"
                 f"{escape(request.key)}</Key><ETag>{escape(etag, {chr(34): '&quot;'})}</ETag>")
        if kind:
            tag = "Checksum" + kind.upper()
            inner += f"<{tag}>{inner_checksum}</{tag}><ChecksumType>{form}</ChecksumType>"
        bucket.completed[upload_id] = document("CompleteMultipartUploadResult", inner)
        return Answer(200, bucket.completed[upload_id], {"Content-Type": "application/xml"})

    def _check_parts(self, upload, named, numbers):
        if not numbers:
            return failure("MalformedXML", "You must specify at least one part")
        if any(a >= b for a, b in zip(numbers, numbers[1:])):
            return failure("InvalidPartOrder", "The list of parts was not in ascending order.")
        if upload.kind and numbers != list(range(1, len(numbers) + 1)):
            return failure("InvalidPartOrder", "With checksums, part numbers must be consecutive and begin with 1")
        for part, number in zip(named, numbers):
            have = upload.parts.get(number)
            if have is None or part.get("ETag", "").strip('"') != have[1].strip('"'):
                return failure("InvalidPart",
                               "One or more of the specified parts could not be found. The part may not have "
                               "been uploaded, or the specified entity tag may not match the part's entity tag.",
                               xml_more=f"<PartNumber>{number}</PartNumber>")
            given = part.get("Checksum" + (upload.kind or "").upper())
            if upload.kind and given is not None and given != have[2]:
                return failure("InvalidPart",
                               "The checksum of a part does not match",
                               xml_more=f"<PartNumber>{number}</PartNumber>")
            if upload.kind and given is None and upload.form == "COMPOSITE":
                return failure("InvalidRequest",
                               "The upload was created using a checksum. The complete request must include "
                               "the checksum for each part.")
        for number in numbers[:-1]:
            if len(upload.parts[number][0]) < PART_MIN:
                return failure("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
                               xml_more=f"<PartNumber>{number}</PartNumber>")
        return None

    def _check_whole(self, request, upload, numbers):
        headers = request.headers
        size = headers.get("x-amz-mp-object-size")
        data = b"".join(upload.parts[n][0] for n in numbers)
        if size is not None and size != str(len(data)):
            return failure("InvalidRequest",
                           "The provided 'x-amz-mp-object-size' header does not match what was computed")
        if self.checksums != "verify":
            return None
        form = headers.get("x-amz-checksum-type")
        if form is not None and form != upload.form:
            return failure("InvalidRequest",
                           "The checksum type does not match the one that the upload was created with")
        for kind in checksums.KINDS:
            given = headers.get("x-amz-checksum-" + kind)
            if given is None:
                continue
            if kind != (upload.kind or "crc64nvme"):
                return failure("InvalidRequest", "The checksum's algorithm is not the upload's")
            if upload.form == "FULL_OBJECT" and given != checksums.text(kind, data):
                return failure("BadDigest", f"The {kind.upper()} you specified did not match the calculated checksum.")
        return None

    def _do_abort(self, request, bucket):
        if self._upload(request, bucket) is None:
            return self._no_upload()
        del bucket.uploads[request.query["uploadId"]]
        return Answer(204)

    def _do_list_parts(self, request, bucket):
        upload = self._upload(request, bucket)
        if upload is None:
            return self._no_upload()
        marker = int(request.query.get("part-number-marker") or 0)
        most = min(int(request.query.get("max-parts") or 1000), self.page)
        numbers = [n for n in sorted(upload.parts) if n > marker]
        shown = numbers[:most]
        inner = (f"<Bucket>{request.bucket}</Bucket><Key>{escape(request.key)}</Key><UploadId>"
                 f"{request.query['uploadId']}</UploadId><PartNumberMarker>{marker}</PartNumberMarker>"
                 f"<NextPartNumberMarker>{shown[-1] if shown else 0}</NextPartNumberMarker><MaxParts>{most}</MaxParts>"
                 f"<IsTruncated>{'true' if len(numbers) > most else 'false'}</IsTruncated>")
        for number in shown:
            data, etag, checksum = upload.parts[number]
            inner += (f"<Part><PartNumber>{number}</PartNumber><LastModified>{iso(self.now())}</LastModified><ETag>"
                      f"{escape(etag, {chr(34): '&quot;'})}</ETag><Size>{len(data)}</Size>")
            if checksum and upload.kind:
                inner += f"<Checksum{upload.kind.upper()}>{checksum}</Checksum{upload.kind.upper()}>"
            inner += "</Part>"
        return Answer(200, document("ListPartsResult", inner), {"Content-Type": "application/xml"})

    def _do_list_uploads(self, request, bucket):
        query = request.query
        prefix = query.get("prefix", "")
        shown_key = sigv4.encode if query.get("encoding-type") == "url" else escape
        marker = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
        most = min(int(query.get("max-uploads") or 1000), self.page)
        found = sorted((u.key, i) for i, u in bucket.uploads.items() if u.key.startswith(prefix))
        if marker[0]:
            found = [f for f in found if f[0] > marker[0] or (f[0] == marker[0] and marker[1] and f[1] > marker[1])]
        shown, cut = found[:most], len(found) > most
        inner = (
            f"<Bucket>{request.bucket}</Bucket><KeyMarker>{shown_key(marker[0])}</KeyMarker><UploadIdMarker>{marker[1]}"
            f"</UploadIdMarker><Prefix>{shown_key(prefix)}</Prefix><MaxUploads>{most}</MaxUploads>"
            f"<IsTruncated>{'true' if cut else 'false'}</IsTruncated>")
        if query.get("encoding-type"):
            inner += "<EncodingType>url</EncodingType>"
        if cut:
            inner += (f"<NextKeyMarker>{shown_key(shown[-1][0])}</NextKeyMarker>"
                      f"<NextUploadIdMarker>{shown[-1][1]}</NextUploadIdMarker>")
        for key, upload_id in shown:
            inner += (
                f"<Upload><Key>{shown_key(key)}</Key><UploadId>{upload_id}</UploadId><Initiator><ID>i</ID></Initiator>"
                f"<Owner><ID>o</ID></Owner><StorageClass>STANDARD</StorageClass><Initiated>"
                f"{iso(bucket.uploads[upload_id].initiated)}</Initiated></Upload>")
        return Answer(200, document("ListMultipartUploadsResult", inner), {"Content-Type": "application/xml"})

    def _do_put(self, request, bucket):
        if "content-length" not in request.headers:
            return failure("MissingContentLength", status=411)
        wrong = self._check_options(request) or self._check_if_none_match(request, bucket)
        if wrong:
            return wrong
        kind, checksum = self._checksum_of(request, request.body)
        etag = '"' + hashlib.md5(request.body).hexdigest() + '"'
        bucket.objects[request.key] = Stored(request.body, etag, self._kept(request), checksum, kind)
        headers = {"ETag": etag}
        if kind:
            headers.update({"x-amz-checksum-" + kind: checksum, "x-amz-checksum-type": "FULL_OBJECT"})
        headers.update(self._sse_echo(self._kept(request)))
        return Answer(200, b"", headers)

    def _object_headers(self, request, stored):
        headers = {"ETag": stored.etag,
                   "Last-Modified": formatdate(stored.modified,
                                               usegmt=True),
                   "Accept-Ranges": "bytes"}
        headers.update({n: v for n, v in stored.kept.items() if SHOWN.match(n)})
        headers.setdefault("content-type", "binary/octet-stream")
        if request.headers.get("x-amz-checksum-mode") == "ENABLED" and stored.kind and self.checksums == "verify":
            headers["x-amz-checksum-" + stored.kind] = stored.checksum
            headers["x-amz-checksum-type"] = getattr(stored, "form", "FULL_OBJECT")
        return headers

    def _do_head(self, request, bucket):
        return self._do_get(request, bucket)

    def _do_get(self, request, bucket):
        stored = bucket.objects.get(request.key)
        if stored is None:
            return failure("NoSuchKey", "The specified key does not exist.")
        if request.headers.get("if-match", stored.etag).strip('"') != stored.etag.strip('"'):
            return failure("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        headers, data, status = self._object_headers(request, stored), stored.data, 200
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
        if match and match.group(0) != "bytes=-":
            first, last = match.groups()
            begin = int(first) if first else max(0, len(data) - int(last))
            end = min(len(data), int(last) + 1) if first and last else len(data)
            if begin >= end:
                return failure("InvalidRange", "The requested range is not satisfiable")
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(data)}"
            data, status = data[begin:end], 206
        answer = Answer(status, data, headers)
        answer.length = len(data)
        return answer

    def _do_delete(self, request, bucket):
        bucket.objects.pop(request.key, None)
        return Answer(204)

    def _do_list_objects(self, request, bucket):
        query = request.query
        prefix = query.get("prefix", "")
        shown_key = sigv4.encode if query.get("encoding-type") == "url" else escape
        after = query.get("continuation-token") or query.get("marker") or query.get("start-after", "")
        deep = query.get("delimiter") if not self.ignores_delimiter else None
        below = {prefix + k[len(prefix):].partition(deep)[0] + deep for k in bucket.objects
                 if deep and k.startswith(prefix) and deep in k[len(prefix):]}
        found = sorted(k for k in {*bucket.objects, *below} if k.startswith(prefix) and k > after
                       and (k in below or not deep or deep not in k[len(prefix):]))
        most = min(int(query.get("max-keys") or 1000), self.page)
        inner = (
            f"<Name>{request.bucket}</Name><Prefix>{shown_key(prefix)}</Prefix><KeyCount>{len(found[:most])}</KeyCount>"
            f"<MaxKeys>{most}</MaxKeys><IsTruncated>{'true' if len(found) > most else 'false'}</IsTruncated>")
        if query.get("encoding-type") == "url":
            inner += "<EncodingType>url</EncodingType>"
        if len(found) > most:
            inner += f"<NextContinuationToken>{escape(found[most - 1])}</NextContinuationToken>"
        for key in found[:most]:
            if key in below:
                inner += f"<CommonPrefixes><Prefix>{shown_key(key)}</Prefix></CommonPrefixes>"
                continue
            stored = bucket.objects[key]
            inner += (f"<Contents><Key>{shown_key(key)}</Key><LastModified>{iso(stored.modified)}</LastModified><ETag>"
                      f"{escape(stored.etag, {chr(34): '&quot;'})}</ETag><Size>{len(stored.data)}</Size>"
                      "<StorageClass>STANDARD</StorageClass></Contents>")
        return Answer(200, document("ListBucketResult", inner), {"Content-Type": "application/xml"})
