"""The reference by hand; see the package's text. Files are written as they are before compression."""
import json
import os
import sys

from . import Ambiguous, __doc__ as USAGE, convert, report_of


def main(arguments):
    if len(arguments) < 3:
        print(USAGE, file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as job_file:
        spec = json.load(job_file)
    sources = []
    for path in arguments[2:]:
        with open(path, "rb") as source:
            sources.append((path, source.read()))
    try:
        result = convert(spec, sources)
    except Ambiguous as question:
        print(f"reference: the contract is silent here: {question}", file=sys.stderr)
        return 70
    out = arguments[1]
    os.makedirs(out, exist_ok=True)
    sizes = {name: len(content) for name, content in result.files.items()}
    others = {name: content for name, (_, content) in result.others(sizes).items()} if result.status == 0 else {}
    for name, content in {**result.files, **others}.items():
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as delivered:
            delivered.write(content)
    with open(os.path.join(out, "rejects.jsonl"), "w", encoding="utf-8") as rejects:
        for line in result.rejects:
            line = dict(line, path=sorted(line["paths"])[0])
            del line["paths"]
            rejects.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    with open(os.path.join(out, "report.json"), "w", encoding="utf-8") as report:
        json.dump(report_of(result, spec), report, indent=1)
    return result.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
