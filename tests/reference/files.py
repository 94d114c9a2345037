"""Rows into files, files into deliveries: names, manifests and tokens."""
import re
from xml.sax.saxutils import escape

from .readings import READINGS

COMPRESSED = {"none": "", "gzip": ".gz", "zstd": ".zst"}


class Part:
    def __init__(self, header):
        self.rows = 0
        self.content = bytearray(header)


class Delivery:
    """One stream: the data files of a run, or of one segment of a split run, with their manifest and tokens."""

    def __init__(self, job, header, values):
        self.job, self.header, self.values = job, header, values  # values: of the placeholders
        self.parts = []
        self.shard = None  # of files.count: the shard that the file at hand was chosen for
        self.chosen = None

    def add(self, row, shard):
        part = self.by_cuts(row) if self.job.count is None else self.by_shards(shard)
        part.rows += 1
        part.content += row

    def by_cuts(self, row):
        job = self.job
        cut = not self.parts or self.parts[-1].rows >= job.max_rows
        if not cut and job.max_bytes is not None:
            cut = len(self.parts[-1].content) + len(row) > job.max_bytes
        if cut:
            self.begin()
        return self.parts[-1]

    def by_shards(self, shard):
        if self.shard != shard:
            self.shard = shard
            if len(self.parts) < self.job.count:
                self.begin()
                self.chosen = self.parts[-1]
            else:
                self.chosen = min(self.parts, key=lambda part: part.rows)  # the first of the least
        return self.chosen

    def begin(self):
        with_header = self.job.header == "every" or (self.job.header == "first" and not self.parts)
        self.parts.append(Part(self.header if with_header else b""))

    def end(self):
        if not self.parts and self.job.empty_header:
            self.begin()

    def filled(self, template, **more):
        for key, text in {**self.values, **more}.items():
            template = template.replace("{" + key + "}", text)
        return template

    def named(self):
        """[(stored name, Part)]"""
        suffix = COMPRESSED[self.job.compression]
        return [(self.filled(self.job.file_name, part=f"{number:04d}") + suffix, part)
                for number, part in enumerate(self.parts, 1)]

    def manifest_name(self):
        return self.filled(self.job.pega.manifest)

    def manifest(self, sizes):
        """Its text; `sizes`: {stored name: bytes as stored}."""
        pega = self.job.pega
        prefix = self.filled(pega.path_prefix) if READINGS["path_prefix"] == "replaced" else pega.path_prefix
        files = self.named()
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<manifest>",
                 f"  <processType>{escape(pega.process_type)}</processType>",
                 f"  <totalRecordCount>{sum(part.rows for _, part in files)}</totalRecordCount>", "  <files>"]
        for name, part in files:
            lines += ["    <file>", f"      <name>{escape(prefix + name)}</name>", f"      <size>{sizes[name]}</size>",
                      f"      <recordCount>{part.rows}</recordCount>", "    </file>"]
        return "\n".join(lines + ["  </files>", "</manifest>", ""]).encode("utf-8")

    def token_names(self):
        pega = self.job.pega
        if pega.token_per == "none":
            return []
        names = [self.manifest_name()] if pega.token_per == "manifest" else [name for name, _ in self.named()]
        return [self.token_name(name) for name in names]

    def token_name(self, name):
        if self.job.pega.token_replaces:
            name = re.sub(r"(\.gz|\.zst)\Z", "", name)
            name = re.sub(r"(?<=[^/])\.[^./]*\Z", "", name)
        return name + self.job.pega.token_suffix


def deliveries_of(job, header, run_time, run_id):
    """One for each stream, in the order of their numbers."""
    values = {"name": job.name, "run_time": run_time, "run_id": run_id}
    if job.segments is None or not job.segments.split:
        return [Delivery(job, header, values)]
    return [Delivery(job, header, {**values, "segment_id": segment,
                                   "segment_name": job.segments.names.get(segment, segment)})
            for segment in job.segments.ids]
