#!/usr/bin/env python3
"""Seam test: small files of odd shapes, cut at every offset.

    seams.py BINARY

Every shard size from 1 to the file's length and one more puts a seam at every byte sooner or later: inside a CRLF, a
quote, an escape, a UTF-8 sequence, a blank line, the byte order mark. Files, rejects and record counts must be those
of one shard, and those of reference/.
"""
import os
import sys
import tempfile

import common

SPEC = {"name": "seams", "identity": {"column": "CustomerID", "paths": ["id"]},
        "columns": [{"name": "A", "path": "a"}, {"name": "B", "path": "b"}], "rejects": {"max": 1000}}

PLAIN = [b'{"id":1,"a":"x"}', b'{"id":22,"a":"say \\"hi\\"","b":"\xc3\xa9\xf0\x9f\x98\x80"}',
         b'{"id":"333","a":"l\\nm","b":[1, {"c":"]"}]}', b'{"id":4444}']
BROKEN = [b'{"id":1,"a":"x"}', b'{"id":2,"a":"open', b'{"id":3}', b'{"a":1}', b'{"id":4}}', b'{"id":"\xff"}', b'{"id":5',
          b'{"id":6,"a":"\\\\"}']
LONG = [b'{"id":1,"b":"' + b"z" * 75 + b'"}', b'{"id":2}', b'{"skip":{"id":"\\\\\\""},"id":3}']

FILES = {
    "plain LF": b"\n".join(PLAIN) + b"\n",
    "CRLF": b"\r\n".join(PLAIN) + b"\r\n",
    "no last line end": b"\n".join(PLAIN),
    "CRLF, no last line end": b"\r\n".join(PLAIN),
    "blank lines": b"\n\r\n" + b"\n\n \r\n\t\n".join(PLAIN) + b"\n\n \n",
    "blanks around": b"\n".join(b" \t" + line + b" \t\r" for line in PLAIN),
    "byte order mark": b"\xef\xbb\xbf" + b"\n".join(PLAIN) + b"\n",
    "byte order mark, blank first line": b"\xef\xbb\xbf\n\n" + b"\n".join(PLAIN),
    "broken records": b"\n".join(BROKEN) + b"\n",
    "broken records, CRLF, open at the end": b"\r\n".join(BROKEN + [b'{"id":7,"a":"']),
    "longer than a block": b"\n".join(LONG) + b"\n",
    "longer than a block, CRLF": b"\r\n".join(LONG),
    "one record": b'{"id":1,"a":"alone","b":[1,2]}',
    "many blank lines": b'{"id":1}\n' + b"\n" * 40 + b'{"id":2}\n' + b"\r\n" * 20,
    "tiny records": b'{"id":1}\n{"id":2}\n{}\n{"id":3}\n[]\n',
}


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    binary = common.program(sys.argv[1])
    runs = failures = 0
    with tempfile.TemporaryDirectory(prefix="penstock-seams-") as folder:
        common.write_job(SPEC, os.path.join(folder, "job.yaml"))
        for title, data in FILES.items():
            with open(os.path.join(folder, "dump.ndjson"), "wb") as dump:
                dump.write(data)
            expected = common.convert(SPEC, [("dump.ndjson", data)])
            problems = []
            first = None
            sizes = [1 << 30] + list(range(1, len(data) + 2))
            for size in sizes:
                # threads and ways of reading take turns: all of them meet all kinds of seams
                threads = (1, 3, 2)[size % 3]
                mode = ("mmap", "read", "direct")[size // 3 % 3]
                flags = ["--threads", str(threads), "--shard-size", str(size), "--input-mode", mode]
                runs += 1
                outcome = common.run(binary, folder, "job.yaml", ["dump.ndjson"], flags)
                found = common.compare(expected, outcome)
                if not found:
                    seen = (outcome.files, outcome.rejects, outcome.report["metrics"]["recordSummary"])
                    if first is None:
                        first = seen
                    elif seen != first:
                        found = ["not the same as with one shard"]
                problems += [f"{' '.join(flags)}: {problem}" for problem in found]
                if len(problems) > 8:
                    break
            failures += bool(problems)
            print(f"{title} ({len(data)} bytes): {'FAILED' if problems else 'ok'} ({len(sizes)} shard sizes)")
            for problem in problems[:4]:
                print(f"  {problem}")
    print(f"seams: {'FAILED' if failures else 'passed'}: {len(FILES)} files, {runs} runs, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
