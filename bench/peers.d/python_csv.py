"""What people write in Python: a loop over lines, a JSON module, the csv module. python_csv.py TASK.json

The setting of the task names the module: json, or orjson. With members the lines come from standard input, those of
them that hold the id (`grep -F` is faster at that than any parser); without, from the one source. The columns become
Python code, as one would write them by hand: a loop along each path takes twice the time.
"""
import csv
import importlib
import json
import sys

with open(sys.argv[1], encoding="utf-8") as text:
    task = json.load(text)
loads = importlib.import_module(task["setting"]).loads
columns, members = task["columns"], task["members"]


def compiled(paths):
    """A function from a record to the list of what stands at the paths, None where nothing does."""
    code = ["def pick(record):"]
    for number, path in enumerate(paths):
        place = "record" + "".join(f"[{key!r}]" for key in path)
        code += [f" try: v{number} = {place}", f" except (KeyError, IndexError, TypeError): v{number} = None"]
    code.append(f" return [{', '.join(f'v{number}' for number in range(len(paths)))}]")
    scope = {}
    exec("\n".join(code), scope)
    return scope["pick"]


pick = compiled([path for _, path in columns])
status = compiled([members["status"]]) if members else None
source = sys.stdin.buffer if members else open(task["sources"][0], "rb")
with source as lines, open(task["target"], "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out)
    writer.writerow([name for name, _ in columns])
    for line in lines:
        record = loads(line)
        if status is None or status(record)[0] in members["wanted"]:
            writer.writerow(pick(record))
