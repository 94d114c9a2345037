#!/usr/bin/env python3
"""field.py FILE PATH...: prints `PATH VALUE` for dotted paths into a JSON file ("-": standard input); VALUE is compact
JSON, "missing" where there is none. For the cases of tests/cli."""
import json
import sys


def main():
    source = sys.stdin if sys.argv[1] == "-" else open(sys.argv[1], encoding="utf-8")
    with source:
        whole = json.load(source)
    for path in sys.argv[2:]:
        value = whole
        for name in path.split("."):
            if isinstance(value, list) and name.isdigit() and int(name) < len(value):
                value = value[int(name)]
            elif isinstance(value, dict) and name in value:
                value = value[name]
            else:
                value = None
                print(path, "missing")
                break
        else:
            print(path, json.dumps(value, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
