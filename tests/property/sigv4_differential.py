#!/usr/bin/python3
"""Signs random requests with botocore (Debian's python3-botocore) and with ours, and compares URL and signature.

usage: sigv4_differential.py SIGV4_PRINT [--cases N] [--seed S]

S3SigV4Auth (path as it is, x-amz-content-sha256) and SigV4Auth (path normalised and encoded twice). Without
botocore it says so and ends with 77, which ctest counts as skipped.
"""
import argparse
import calendar
import datetime
import random
import subprocess
import sys
from unittest import mock
from urllib.parse import quote

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("SKIPPED: python3-botocore is not installed: signatures are not compared with it")
    sys.exit(77)

ACCESS = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TWICE, NORMALIZE, HASH_HEADER = 1, 2, 4
PIECES = list("abzAZ09-._~ =+&%/?#$!*'(),;:@[]{}|\\\"^`<>") + [
    "ä", "ሴ", "😀", "%41", "%2F", "../", "./", "//", "dt=2024-01-01", "\t", "\x01", "\x7f"]
VALUE_PIECES = list("abzAZ09-._~ =+&%/?;:,\"") + ["  ", "ä", "\t", "€"]
NAMES = ["x-amz-meta-a", "X-Amz-Meta-B", "x-amz-acl", "Content-Type", "range", "If-None-Match", "X-Amz-Tagging",
         "x-amz-checksum-crc64nvme", "Cache-Control", "a", "x-", "User-Agent", "Expect"]


def some_text(rng, pieces, most):
    return "".join(rng.choice(pieces) for _ in range(rng.randint(0, most)))


def some_request(rng):
    s3 = rng.random() < 0.7
    keys = ["uploads", "uploadId", "partNumber", "prefix", "a", "a-b", "A", "lifecycle"]
    query = [(rng.choice(keys) if rng.random() < 0.7 else some_text(rng, PIECES, 5) or "x",
              "" if rng.random() < 0.3 else some_text(rng, PIECES, 8)) for _ in range(rng.randint(0, 5))]
    headers = [(name, some_text(rng, VALUE_PIECES, 8)) for name in rng.sample(NAMES, rng.randint(0, 6))]
    return {
        "s3": s3,
        "method": rng.choice(["GET", "HEAD", "PUT", "POST", "DELETE"]),
        "scheme": rng.choice(["http", "https"]),
        "host": rng.choice(["bucket.s3.eu-central-1.amazonaws.com", "localhost:7480", "127.0.0.1", "[::1]:9000"]),
        "path": "/" + some_text(rng, PIECES, 12),
        "region": rng.choice(["eu-central-1", "us-east-1", "RegionOne"]),
        "service": "s3" if s3 else rng.choice(["sts", "service"]),
        "time": rng.randint(0, 4102444799),
        "token": rng.choice(["", "AQoDYXdzEPT//////////wEXAMPLE==", "t+/="]),
        "hash": rng.choice(["UNSIGNED-PAYLOAD", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]),
        "query": query,
        "headers": headers,
    }


def hexed(text):
    return text.encode().hex() or "-"


def line_of(request):
    flags = HASH_HEADER if request["s3"] else TWICE | NORMALIZE
    words = [request["method"], hexed(request["scheme"]), hexed(request["host"]), hexed(request["path"]),
             hexed(request["region"]), hexed(request["service"]), str(request["time"]), hexed(request["token"]),
             hexed(request["hash"]), str(flags)]
    for pairs in (request["query"], request["headers"]):
        words.append(str(len(pairs)))
        for name, value in pairs:
            words += [hexed(name), hexed(value)]
    return " ".join(words)


def signed_by_botocore(request):
    """URL (query in canonical order) and Authorization."""
    url = f"{request['scheme']}://{request['host']}{quote(request['path'], safe='/-_.~')}"
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request["query"])
    if encoded:
        url += "?" + "&".join(f"{name}={value}" for name, value in encoded)
    kind = botocore.auth.S3SigV4Auth if request["s3"] else botocore.auth.SigV4Auth
    signer = kind(Credentials(ACCESS, SECRET, request["token"] or None), request["service"], request["region"])
    signer.payload = lambda _request: request["hash"]
    unsigned = AWSRequest(method=request["method"], url=url)
    # AWSRequest would encode the URL's path and query again when it is prepared, which signing does not do.
    unsigned.headers["host"] = request["host"]
    for name, value in request["headers"]:
        unsigned.headers[name] = value
    now = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=request["time"])
    assert calendar.timegm(now.timetuple()) == request["time"]
    with mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = now
        signer.add_auth(unsigned)
    return url, unsigned.headers["Authorization"]


def is_refused(request):
    """Control characters in headers: botocore signs them, nobody can send them."""
    return any(ord(c) < 32 and c != "\t" or ord(c) == 127 for _, value in request["headers"] for c in value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    requests = [some_request(rng) for _ in range(arguments.cases)]
    lines = "".join(line_of(request) + "\n" for request in requests)
    printed = subprocess.run([arguments.program], input=lines, capture_output=True, text=True, check=True)
    answers = printed.stdout.splitlines()
    if len(answers) != len(requests):
        sys.exit(f"{len(requests)} requests, {len(answers)} answers")
    for index, (request, answer) in enumerate(zip(requests, answers)):
        url, authorization = signed_by_botocore(request)
        expected = f"{url} {authorization}"
        if answer != expected and not (is_refused(request) and answer.startswith("refused ")):
            sys.exit(f"case {index} of seed {arguments.seed}: {request}\nours     {answer}\nbotocore {expected}")
    print(f"{len(requests)} signatures equal botocore's {botocore.__version__}")


if __name__ == "__main__":
    main()
