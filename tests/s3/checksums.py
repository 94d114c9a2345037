"""The checksums of S3 as the scripted S3 verifies them: base64 of big-endian bytes. CRC-32, SHA-1, SHA-256 and MD5 are
the standard library's; CRC-64/NVME and CRC-32C come from crc64_check.c, compiled when first needed (a C compiler is
there: penstock was built) into a temporary folder."""
import base64
import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = ("crc64nvme", "crc32c", "crc32", "sha1", "sha256")
# published check values of "123456789"
CHECKS = {"crc64nvme": 0xAE8B14860A799888, "crc32c": 0xE3069283, "crc32": 0xCBF43926}

_lock = threading.Lock()
_library = None


def _load():
    global _library
    with _lock:
        if _library is None:
            compiler = next((c for c in (os.environ.get("CC", ""), "gcc", "clang", "cc") if c and shutil.which(c)),
                            None)
            if compiler is None:
                raise SystemExit("tests/s3 needs a C compiler for crc64_check.c: apt-get install gcc")
            folder = tempfile.mkdtemp(prefix="penstock-crc-")
            try:
                path = os.path.join(folder, "crc64_check.so")
                subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", path, os.path.join(HERE, "crc64_check.c")],
                               check=True)
                library = ctypes.CDLL(path)
            finally:
                shutil.rmtree(folder, ignore_errors=True)  # it stays loaded
            library.crc64nvme_check.restype = ctypes.c_uint64
            library.crc32c_check.restype = ctypes.c_uint32
            for name in ("crc64nvme_check", "crc32c_check"):
                getattr(library, name).argtypes = [ctypes.c_char_p, ctypes.c_size_t]
            library.crc_check_start()
            _library = library
    for kind, value in CHECKS.items():
        if number(kind, b"123456789") != value:
            raise SystemExit(f"tests/s3: {kind} of the tests' own is wrong")


def number(kind, data):
    if kind == "crc32":
        return zlib.crc32(data)
    function = _library.crc64nvme_check if kind == "crc64nvme" else _library.crc32c_check
    return function(bytes(data), len(data))


def text(kind, data):
    """As in x-amz-checksum-KIND."""
    if kind in ("sha1", "sha256"):
        return base64.b64encode(hashlib.new(kind, data).digest()).decode()
    if _library is None:
        _load()
    return base64.b64encode(number(kind, data).to_bytes(8 if kind == "crc64nvme" else 4, "big")).decode()
