"""Sources whose first record is longer than the head that is looked at first, each in a file of its own."""
import gzip
import json
import subprocess

LONG = "x" * 100000


def text(value):
    return json.dumps(value, separators=(",", ":"))


EVENTS = [{"id": f"e{i}"} for i in range(9000)]
TEXTS = {
    "lines-array-first": text({"events": EVENTS, "id": 1}) + "\n" + text({"id": 2, "z": LONG}) + "\n",
    "lines-array-behind": text({"id": 1, "events": EVENTS, "a": "m"}) + "\n",
    "lines-two-arrays": text({"events": EVENTS, "id": 1, "more": EVENTS}),
    "pretty": "\n".join(json.dumps({"events": EVENTS, "id": i, "z": {"y": 1}}, indent=1) for i in range(2)),
    "concatenated": "".join(text({"id": i, "z": LONG}) for i in range(3)),
    "entities": text({f"k{i}": {"sources": [LONG], "entity": {"id": i}} for i in range(3)}),
    "entities-long": text({f"k{i}": {"entity": {"id": i, "z": LONG}} for i in range(3)}),
    "array-under-a-key": text({"all": [{"id": i, "z": LONG} for i in range(3)]}),
    "array-under-a-key-in-lines": text({"n": LONG, "all": [{"id": i} for i in range(3)]}).replace("[", "[\n") + "\n",
    "array-behind-much-else": text({"_page": {"of": 15 * LONG}, "all": [{"id": i} for i in range(3)]}),
    "array-under-another-key-a-record-a-line": '{"zz":[\n' + ",\n".join(text({"z": LONG, "id": i}) for i in range(3)) + "\n]}",
    "entities-a-line-in-the-first": text({f"k{i}": {"entity": {"z": LONG, "id": i}} for i in range(3)})
    .replace('{"z"', '\n{"z"', 1),
    "concatenated-a-line-in-the-first": "".join(text({"p": {"q": 1}, "z": LONG, "id": i}) for i in range(3))
    .replace('{"q"', '\n{"q"', 1),
    "beyond-a-megabyte": "".join(text({"id": i, "z": 15 * LONG}) for i in range(3)),
}
for name, written in TEXTS.items():
    with open(name, "w", encoding="utf-8") as file:
        file.write(written)
    with gzip.open(name + ".gz", "wt", encoding="utf-8") as file:
        file.write(written)
    subprocess.run(["zstd", "-q", name], check=True)
