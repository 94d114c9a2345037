"""The report has what is stored; there is one gzip member, and it is smaller than its CSV by half."""
import json
import os
import sys
import zlib

report = json.load(open(sys.argv[1], encoding="utf-8"))
packed = open(sys.argv[2], "rb").read()
whole = zlib.decompressobj(31)
content = whole.decompress(packed)
print("one member", whole.eof and not whole.unused_data)
print("bytes", report["files"][0]["bytes"] == len(packed) == report["metrics"]["sizeSummary"]["outputBytes"])
print("smaller", len(packed) * 2 < len(content))
