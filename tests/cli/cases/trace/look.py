"""A trace is JSON, its events lie inside each other, and their sums are those that it and the report tell."""
import json
import sys

trace, report = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
workers = int(sys.argv[3])
spans = [e for e in trace["traceEvents"] if e["ph"] == "X"]
names = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"] if e["ph"] == "M"}
others = {tid: name for tid, name in names.items() if tid > workers}  # decoders of frames
assert names == {0: "assembler", **{w + 1: f"worker {w}" for w in range(workers)}, **others}, names
assert sorted(others.values()) == sorted(trace["otherData"]["beside"]), others
assert trace["otherData"]["droppedSpans"] == 0 and trace["otherData"]["workers"] == workers

# an event's own time is what the events inside it leave
for thread in names:
    stack = []
    for e in sorted((e for e in spans if e["tid"] == thread), key=lambda e: (e["ts"], -e["dur"])):
        while stack and stack[-1]["ts"] + stack[-1]["dur"] <= e["ts"] + 0.0005:
            stack.pop()
        e["inside"] = 0
        if stack:
            assert e["ts"] + e["dur"] <= stack[-1]["ts"] + stack[-1]["dur"] + 0.002, (e, stack[-1])
            stack[-1]["inside"] += e["dur"]
        stack.append(e)
for e in spans:
    assert abs(e["dur"] - e["inside"] - e["args"]["own"]) < 0.002 * (len(spans) + 1), e

acts = trace["otherData"]["acts"]
for name, act in acts.items():
    mine = [e["args"] for e in spans if e["name"] == name and e["tid"] not in others]
    assert abs(sum(a["own"] for a in mine) - act["microseconds"]) < 0.002 * (len(mine) + 1), name
    assert sum(a["bytes"] for a in mine) == act["bytes"], name

stages = report["performance"]["stages"]
for name in ("read", "inflate", "convert", "compress"):
    busy = stages.get(name, {"busySeconds": 0})["busySeconds"]
    assert abs(busy * 1e6 - acts[name]["microseconds"]) < 2, (name, busy, acts[name])
busy = sum(s["busySeconds"] for s in stages.values())
waiting = sum(s["waitingSeconds"] for s in stages.values())
told = {kind: sum(e["args"]["own"] for e in spans if e["cat"] == kind and e["tid"] not in others) for kind in ("busy", "waiting")}
assert abs(busy * 1e6 - told["busy"]) < 10 and abs(waiting * 1e6 - told["waiting"]) < 10, (busy, waiting, told)
assert report["performance"]["bottleneck"] in ("read", "inflate", "convert", "compress", "write")
print("bytes", acts["inflate"]["bytes"] > 0, acts["convert"]["bytes"], acts["compress"]["bytes"])
