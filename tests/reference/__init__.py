"""A second, slow and plain implementation of what penstock promises, to compare it with.

Written from the contract alone (Paths, Values, Which record goes where, A record is isolated, Report), not from the C
sources. It reads NDJSON and job files in JSON syntax (a subset of YAML) with the keys of this version.

Where the contract leaves a case open, the record raises `Ambiguous` with the name of the open question: drivers
leave such records out of what they generate and print how many there were. Readings that were settled since are the
constants of READINGS.

Run by hand, in tests:  python3 -m reference JOB.json OUTDIR SOURCE...   writes the data files, rejects.jsonl
and report.json.
"""
from .job import Job
from .json_walk import BLANKS
from .readings import READINGS, Ambiguous, BadPath
from .rows import Converter
from .runs import SHARD, convert, report_of

__all__ = ["BLANKS", "READINGS", "SHARD", "Ambiguous", "BadPath", "Converter", "Job", "convert", "report_of"]
