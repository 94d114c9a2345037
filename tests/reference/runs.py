"""A whole run: sources in, files, rejects and counts out."""
import base64
import os
from fractions import Fraction

from . import audience
from .files import deliveries_of
from .job import Job
from .json_walk import BLANKS
from .rows import Converter
from .values import id_key

RAW_MAX = 64 * 1024
SHARD = 1 << 20  # of files.count: the rows of so many bytes of input stay together


class Line:
    """A record's place: where its raw bytes (blanks left out) and its line begin."""

    __slots__ = ("source", "offset", "raw", "number", "length", "shard")

    def __init__(self, source, offset, raw, number, length, shard):
        self.source = source
        self.offset = offset
        self.raw = raw
        self.number = number  # from 1
        self.length = length  # of the line, its end left out
        self.shard = shard    # of the source


def lines_of(source, data, shard_bytes):
    begin = start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    number = 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        raw = line.strip(BLANKS)
        if raw:
            yield Line(source, start + len(line) - len(line.lstrip(BLANKS)), raw, number, len(line),
                       (start - begin) // shard_bytes)
        start = end + 1


class Result:
    def __init__(self):
        self.status = 0
        self.deliveries = []
        self.files = {}        # {stored name: CSV bytes, not compressed}
        self.file_rows = {}
        self.rejects = []      # dicts as in the reject file; "paths": the acceptable path texts
        self.input = self.delivered = self.rows = self.failed = 0
        self.skipped = {}
        self.failed_by = {}
        self.no_consent = []   # records for each rule: the first that was not met
        self.changed = {"newline": 0, "null_character": 0, "formula": 0}
        self.duplicates_low = self.duplicates_high = 0
        self.input_bytes = 0

    def count_changes(self, cells):
        for cell in cells:
            for change in cell.changes:
                self.changed[change] += 1

    def others(self, sizes):
        """{name: content} of manifests and tokens; `sizes`: {stored name: bytes as stored} of the data files."""
        found = {}
        for delivery in self.deliveries:
            if delivery.job.pega is not None:
                found[delivery.manifest_name()] = ("manifest", delivery.manifest(sizes))
                found.update({name: ("token", b"") for name in delivery.token_names()})
        return found


def over_budget(budget, failed, records):
    """For a share: judged at the end."""
    if budget.endswith("%"):
        return Fraction(failed) * 100 > Fraction(budget[:-1]) * records
    return failed > int(budget)


def convert(spec, sources, run_time="20261122T030000Z", run_id="0123456789abcdef", shard_bytes=SHARD):
    """`sources`: [(name, bytes)]. Raises Ambiguous for the first record that is."""
    job = Job(spec)
    converter = Converter(job)
    result = Result()
    result.deliveries = deliveries_of(job, converter.header_line(), run_time, run_id)
    result.no_consent = [0] * len(job.consent)
    lines = []
    for name, data in sorted(dict(sources).items(), key=lambda item: os.fsencode(item[0])):
        result.input_bytes += len(data)
        lines += lines_of(name, data, shard_bytes)
    if not job.deduplicate:
        outcomes = ((line, *outcome_alone(converter, line)) for line in lines)
    else:
        outcomes = outcomes_of_latest(converter, lines)
    for line, opened, outcome in outcomes:
        count(result, converter, line, opened, outcome)
        if not job.budget.endswith("%") and result.failed > int(job.budget):
            result.status = 65
            return result
    if result.input == 0 or over_budget(job.budget, result.failed, result.input):
        result.status = 65
        return result
    for delivery in result.deliveries:
        delivery.end()
        for name, part in delivery.named():
            result.files[name] = bytes(part.content)
            result.file_rows[name] = part.rows
    return result


def outcome_alone(converter, line):
    opened = converter.open(line.raw, line.length)
    return opened, opened.outcome or converter.close(opened, range(len(opened.ids)))


def outcomes_of_latest(converter, lines):
    """As outcome_alone() of all lines, but that of several records with one key the latest alone goes on."""
    job = converter.job
    opened = [converter.open(line.raw, line.length) for line in lines]
    best = audience.winners((place, record.time, [id_key(job, value) for value in record.ids if value is not None])
                            for place, record in enumerate(opened) if record.outcome is None)
    for place, (line, record) in enumerate(zip(lines, opened)):
        if record.outcome is not None:
            yield line, record, record.outcome
            continue
        numbers = [number for number, value in enumerate(record.ids)
                   if value is None or best[id_key(job, value)] == place]
        yield line, record, converter.close(record, numbers) if numbers else ("skipped", "duplicate")


def count(result, converter, line, opened, outcome):
    result.input += 1
    if outcome[0] == "rows":
        result.delivered += 1
        low, high = converter.duplicates(opened)
        result.duplicates_low += low
        result.duplicates_high += high
        for cells in outcome[1]:
            row = converter.line(cells)
            for stream in opened.members:
                result.rows += 1
                result.count_changes(cells)
                result.deliveries[stream].add(row, (line.source, line.shard))
        return
    result.duplicates_high += opened.high or (opened.selection is not None and opened.selection.check.duplicates)
    if outcome[0] == "skipped":
        result.skipped[outcome[1]] = result.skipped.get(outcome[1], 0) + 1
        if outcome[1] == "consent":
            result.no_consent[outcome[2]] += 1
    else:
        result.failed += 1
        result.failed_by[outcome[1]] = result.failed_by.get(outcome[1], 0) + 1
        result.rejects.append({"source": line.source, "offset": line.offset, "length": len(line.raw), "line": line.number,
                               "code": outcome[1], "paths": outcome[2],
                               "raw": base64.b64encode(line.raw[:RAW_MAX]).decode()})


def report_of(result, spec):
    return {"tool": "penstock", "version": "reference", "runId": "0123456789abcdef", "job": spec["name"], "mode": "full",
            "metrics": {
                "sizeSummary": {"inputBytes": result.input_bytes,
                                "outputBytes": sum(len(b) for b in result.files.values())},
                "recordSummary": {
                    "inputRecordCount": result.input, "deliveredRecordCount": result.delivered,
                    "outputRowCount": result.rows, "skippedRecordCount": sum(result.skipped.values()),
                    "skippedByReason": result.skipped, "failedRecordCount": result.failed,
                    "failedByReason": result.failed_by, "duplicateKeyRecordCount": result.duplicates_low,
                    "changedByReason": result.changed},
                "fileSummary": {"outputFileCount": len(result.files)},
                "statusSummary": {"status": "failed" if result.status else "success", "errors": []}},
            "files": []}
