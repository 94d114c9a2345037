"""What people write first: Python's json and csv modules. python_json.py JOB INPUT OUTPUT"""
import csv
import json
import os
import sys

job, source, target = sys.argv[1:4]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "jobs.json"), encoding="utf-8") as jobs:
    columns = json.load(jobs)[job]["columns"]


def pick(record, path):
    try:
        for key in path:
            record = record[key]
    except (KeyError, IndexError, TypeError):
        return None
    return record


with open(source, encoding="utf-8", newline="\n") as lines, open(target, "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out)
    writer.writerow([name for name, _ in columns])
    for line in lines:
        record = json.loads(line)
        writer.writerow([pick(record, path) for _, path in columns])
