"""Containers of five records, one of which no block holds and two of which begin with another key, plain and packed;
and what has no end."""
import gzip
import json

RECORDS = [{"a" if number in (1, 4) else "id": number, "z": "x" * (2000000 if number == 2 else 10)} for number in range(5)]
TEXTS = {"array": json.dumps(RECORDS),
         "pretty": json.dumps(RECORDS, indent=1),
         "results": json.dumps({"results": RECORDS}),
         "entities": json.dumps({f"k{number}": {"entity": record} for number, record in enumerate(RECORDS)}),
         "texts": "".join(map(json.dumps, RECORDS))}
for name, text in TEXTS.items():
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    with gzip.open(name + ".gz", "wt", encoding="utf-8") as file:
        file.write(text)
