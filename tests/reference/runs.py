"""A whole run: sources in, files, rejects and counts out."""
import base64
import os
from fractions import Fraction

from .files import Files
from .job import Job
from .json_walk import BLANKS
from .rows import Converter

RAW_MAX = 64 * 1024


def lines_of(data):
    """(offset, raw without surrounding blanks, line number, bytes of the line) for each record."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    number = 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        raw = line.strip(BLANKS)
        if raw:
            yield start + len(line) - len(line.lstrip(BLANKS)), raw, number, len(line)
        start = end + 1


class Result:
    def __init__(self):
        self.status = 0
        self.files = {}
        self.rejects = []      # dicts as in the reject file; "paths": the acceptable path texts
        self.input = self.delivered = self.rows = self.failed = 0
        self.skipped = {}
        self.failed_by = {}
        self.changed = {"newline": 0, "null_character": 0, "formula": 0}
        self.duplicates_low = self.duplicates_high = 0
        self.input_bytes = 0


def over_budget(budget, failed, records):
    """For a share: judged at the end."""
    if budget.endswith("%"):
        return Fraction(failed) * 100 > Fraction(budget[:-1]) * records
    return failed > int(budget)


def convert(spec, sources, run_time="20261122T030000Z", run_id="0123456789abcdef"):
    """`sources`: [(name, bytes)]. Raises Ambiguous for the first record that is."""
    job = Job(spec)
    converter = Converter(job)
    files = Files(job, converter.header_line(), run_time, run_id)
    result = Result()
    absolute = not job.budget.endswith("%")
    for name, data in sorted(dict(sources).items(), key=lambda item: os.fsencode(item[0])):
        result.input_bytes += len(data)
        for offset, raw, number, line_length in lines_of(data):
            outcome, duplicates = converter.record(raw, line_length)
            result.input += 1
            result.duplicates_low += duplicates[0]
            result.duplicates_high += duplicates[1]
            if outcome[0] == "row":
                result.delivered += 1
                result.rows += 1
                for cell in outcome[1]:
                    for change in cell.changes:
                        result.changed[change] += 1
                files.add(converter.line(outcome[1]))
            elif outcome[0] == "skipped":
                result.skipped[outcome[1]] = result.skipped.get(outcome[1], 0) + 1
            else:
                result.failed += 1
                result.failed_by[outcome[1]] = result.failed_by.get(outcome[1], 0) + 1
                result.rejects.append({"source": name, "offset": offset, "length": len(raw), "line": number,
                                       "code": outcome[1], "paths": outcome[2],
                                       "raw": base64.b64encode(raw[:RAW_MAX]).decode()})
                if absolute and result.failed > int(job.budget):
                    result.status = 65
                    return result
    if result.input == 0 or over_budget(job.budget, result.failed, result.input):
        result.status = 65
        return result
    result.files = files.named()
    return result


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
