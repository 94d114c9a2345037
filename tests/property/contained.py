"""The well-formed records of a dump in every container: what comes out must be what comes out of their lines, whatever
the threads and shards. Standard library only."""
import copy
import gzip
import json
import os
import random
import re

import common

FORMS = ["array", "array, pretty", "concatenated", "concatenated, pretty", "under a key", "entities"]
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.S)
SHARDS = ["1", "64", "500", "4096"]


def no_constant(name):
    raise ValueError(name)


def is_object(raw):
    """Is it one JSON object, as RFC 8259 has it?"""
    try:
        return isinstance(json.loads(raw.decode("utf-8"), parse_constant=no_constant), dict)
    except (ValueError, RecursionError):
        return False


def pretty(raw, indent):
    """The same tokens, one member a line."""
    out, depth = bytearray(), 0
    for token in TOKEN.findall(raw):
        if token in (b"}", b"]"):
            depth -= 1
            out += b"\n" + b"  " * (indent + depth)
        out += token
        if token in (b"{", b"["):
            depth += 1
        if token in (b"{", b"[", b","):
            out += b"\n" + b"  " * (indent + depth)
        if token == b":":
            out += b" "
    return bytes(out)


def contain(form, records):
    if form == "array":
        return b"[" + b",".join(records) + b"]"
    if form == "array, pretty":
        return b"[\n  " + b",\n  ".join(pretty(record, 1) for record in records) + b"\n]\n"
    if form == "concatenated":
        return b" ".join(records) + b"\n"
    if form == "concatenated, pretty":
        return b"\n".join(pretty(record, 0) for record in records) + b"\n"
    if form == "under a key":
        return b'{"results":[\n' + b",\n".join(records) + b"\n]}\n"
    members = [b'"k%d":{"entityId":"k%d","entity":%s,"sources":[]}' % (i, i, r) for i, r in enumerate(records)]
    return b"{" + b",\n".join(members) + b"}"


def levels(raw):
    """How deep its brackets go."""
    depth = most = 0
    for token in TOKEN.findall(raw):
        depth += (token in (b"{", b"[")) - (token in (b"}", b"]"))
        most = max(most, depth)
    return most


class Contained:
    """One container of a case's records."""

    def __init__(self, case, seed):
        self.r = random.Random(f"contained {seed}")
        self.form = self.r.choice(FORMS)
        self.packed = self.r.random() < 0.3
        texts = [data.removeprefix(b"\xef\xbb\xbf") for _, data in case.sources]
        lines = [line.strip(b" \t\r\n") for text in texts for line in text.split(b"\n")]
        self.records = [line for line in lines if is_object(line)]
        self.spec = copy.deepcopy(case.spec)
        source = self.spec.setdefault("source", {})
        if "pretty" in self.form:
            source.pop("max_record", None)                          # they are longer than on a line
        if self.form == "entities" and "max_record" in source:      # an entity too deep is not made out, nor its length
            self.records = [record for record in self.records if levels(record) <= source.get("max_depth", 1024)]
        self.spec.setdefault("files", {}).pop("count", None)        # by shards
        self.spec.setdefault("rejects", {})["max"] = 1000000
        if self.form == "concatenated":
            source["format"] = "concatenated"  # one that is alone on its line may be one of lines

    def run(self, binary, folder):
        """(problems, flags) of a run over lines and two over the container."""
        if len(self.records) < 2:
            return [], []
        text = contain(self.form, self.records)
        lines = dict(self.spec, source=dict(self.spec["source"], format="ndjson"))
        for name, data, spec in (("lines", b"\n".join(self.records), lines),
                                 ("contained", gzip.compress(text) if self.packed else text, self.spec)):
            with open(os.path.join(folder, name), "wb") as source:
                source.write(data)
            common.write_job(spec, os.path.join(folder, name + ".yaml"))
        want = seen(common.run(binary, folder, "lines.yaml", ["lines"]))
        for shard in (None, self.r.choice(SHARDS)):
            flags = ["--threads", str(self.r.choice([1, 2, 3, 8]))] + (["--shard-size", shard] if shard else [])
            got = seen(common.run(binary, folder, "contained.yaml", ["contained"], flags))
            if got != want:
                return [f"{self.form}: {what}: expected {str(a)[:300]}, got {str(b)[:300]}"
                        for what, a, b in zip(("status", "files", "rejects", "counts"), want, got) if a != b], flags
        return [], []


def seen(outcome):
    rejects = [json.loads(line) for line in (outcome.rejects or b"").splitlines()]
    return (outcome.status, outcome.files, [(line["code"], line["path"]) for line in rejects],
            (outcome.report or {}).get("metrics", {}).get("recordSummary"))
