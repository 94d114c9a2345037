"""Labels and marketing actions: what may not leave is found before anything is written, and named."""
from world import check

ACTIONS = ["Analytics", "Combine with directly identifiable data", "Cross Site Targeting", "Data Science",
           "Email Targeting", "Export to Third Party", "Onsite Advertising", "Onsite Personalization", "Segment Match",
           "Single Identity Personalization"]
# The core policies: which actions a label forbids. What is in neither list of a label is not asked.
FORBIDS = {
    "C1": (ACTIONS, []),  # aggregated only: rows are persons
    "C2": (["Export to Third Party"], ["Analytics", "Email Targeting", "Onsite Personalization", "Data Science"]),
    "C4": (["Cross Site Targeting", "Onsite Advertising", "Onsite Personalization"], ["Analytics", "Data Science"]),
    "C5": (["Cross Site Targeting"], ["Analytics", "Onsite Advertising", "Export to Third Party"]),
    "C6": (["Onsite Advertising"], ["Onsite Personalization", "Cross Site Targeting", "Export to Third Party"]),
    "C7": (["Onsite Personalization"], ["Onsite Advertising", "Cross Site Targeting", "Export to Third Party"]),
    "C8": (["Analytics"], ["Data Science", "Onsite Personalization", "Export to Third Party"]),
    "C9": (["Data Science"], ["Analytics", "Onsite Personalization", "Export to Third Party"]),
    "C11": (["Segment Match"], ["Analytics", "Onsite Personalization", "Export to Third Party"]),
    "C12": (ACTIONS, []),
    "I1": ([], ACTIONS),
    "I2": ([], ACTIONS),
    "C3": (["Combine with directly identifiable data"],  # alone: that action brings the other half
           [action for action in ACTIONS if not action.startswith("Combine")]),
}
SOURCE = b'{"id":"1","a":"x","p":{"q":{"r":"y"}},"pq":"z","identityMap":{"Email":[{"id":"e"}]}}\n'
COLUMNS = [{"name": "Alpha", "path": "a"}, {"name": "Deep", "path": "p.q.r"}]


def spec_of(action, **more):
    governance = {"labels": "labels.yaml", "marketing_action": action, **more.pop("governance", {})}
    return {"columns": COLUMNS, "governance": governance, "files": {"name": "{name}.csv"}, **more}


def labels_of(labels):
    """As YAML, keys quoted as its own double-quoted strings are."""
    lines = ['"' + path.replace("\\", "\\\\").replace('"', '\\"') + '": [ ' + ", ".join(names) + " ]"
             for path, names in labels.items()]
    return {"labels.yaml": "\n".join(lines) + "\n"}


def denied(world, labels, *words, action="Export to Third Party", **more):
    return world.refused(spec_of(action, **more), *words, files=labels_of(labels), source=SOURCE)


def allowed(world, labels, action="Export to Third Party", **more):
    ended = world.export(spec_of(action, **more), SOURCE, files=labels_of(labels))
    check(len(ended.files) == 1, f"{labels}, {action}: {sorted(ended.files)}")
    return ended


def case_governance_table(world):
    """Each label under each action."""
    for label, (forbidden, free) in FORBIDS.items():
        for action in forbidden:
            denied(world, {"a": [label]}, "Alpha", label, action=action)
        for action in free:
            allowed(world, {"a": [label]}, action=action)


def case_governance_identifiable(world):
    """C3 beside I1 or I2, wherever in the row they stand."""
    for label in ("I1", "I2"):
        denied(world, {"a": ["C3"], "p.q.r": [label]}, "Alpha", "C3", label)
        denied(world, {"a": ["C3"], "id": [label]}, "Alpha", "C3")
        denied(world, {"a": ["C3", label]}, "Alpha", "C3")
        allowed(world, {"a": ["C3"], "not.exported": [label]})


def case_governance_names_everything(world):
    ended = denied(world, {"a": ["C2", "C12"], "p": ["C1"]}, "Alpha", "Deep", "C2", "C12", "C1", "p.q.r")
    check("Export to Third Party" in ended.stderr, f"the action is not named: {ended.stderr.strip()}")


def case_governance_prefixes(world):
    """Labels come from the nearest prefix; a prefix is made of whole names."""
    for labels in ({"p": ["C2"]}, {"p.q": ["C2"]}, {"p.q.r": ["C2"]}, {"$.p['q']": ["C2"]}, {"p": ["I1"], "p.q": ["C2"]},
                   {'p["q"]': ["C2"]}):
        denied(world, labels, "Deep", "p.q.r", "C2")
    for labels in ({"p": ["C2"], "p.q": ["I1"]}, {"p": ["C2"], "p.q.r": ["S1"]}, {"p.q.r.s": ["I1"]}, {"q": ["C2"]},
                   {"p.qq": ["C2"]}, {"x.p.q.r": ["C2"]}):
        allowed(world, labels)
    allowed(world, {"p": ["C2"]}, columns=[{"name": "Other", "path": "pq"}])


def case_governance_of_every_way_into_a_row(world):
    """Fallbacks, lists, whole objects that hold what is labelled, identities, namespaces in another case."""
    def one(**column):
        return {"columns": [{"name": "Col", **column}]}
    denied(world, {"a": ["C2"]}, "Col", "a", **one(path="nothing", fallback=["a"]))
    denied(world, {"p": ["C2"]}, "Col", **one(path="p"))
    denied(world, {"p.q.r": ["C2"]}, "Col", **one(path="p"))  # the object's JSON text holds it
    denied(world, {"tags": ["C2"]}, "Col", **one(path="tags[*]"))
    denied(world, {"identityMap.EMAIL": ["C2"]}, "Col", **one(path="identityMap.email[*].id"))
    denied(world, {"id": ["C2"]}, "CustomerID", "C2")
    allowed(world, {"p": ["C2"]}, **one(constant="x"))
    allowed(world, {"a": ["C2"]}, **one(path="p.q.r"), consent={"require": [{"path": "a", "allow": ["x"]}]})


def case_governance_drop_column(world):
    drop = {"governance": {"on_violation": "drop_column"}}
    ended = allowed(world, {"a": ["C2"], "p": ["I1"]}, **drop)
    check(ended.files["acme.csv"] == b"CustomerID,Deep\n1,y\n", f"{ended.files['acme.csv']!r}")
    check("Alpha" in ended.stderr and "C2" in ended.stderr, f"the column is not named: {ended.stderr.strip()}")
    ended = allowed(world, {"a": ["C3"], "p": ["I1"]}, **drop)
    check(b"Alpha" not in ended.files["acme.csv"] or b"Deep" not in ended.files["acme.csv"],
          f"C3 went beside I1: {ended.files['acme.csv']!r}")
    denied(world, {"a": ["C12"], "p.q": ["C1"]}, "Alpha", "C12", **drop)  # no column would be left
    # the key can't be left out
    denied(world, {"id": ["C2"]}, "CustomerID", **drop)


def case_governance_bad_jobs(world):
    world.refused(spec_of("Sell it"), "Sell it", "Export to Third Party", "Analytics", files=labels_of({"a": ["C2"]}))
    world.refused(spec_of("Analytics"), "C13", "C12", files=labels_of({"a": ["C13"]}))
    world.refused(spec_of("Analytics"), "labels.yaml")  # there is none
    world.refused(spec_of("Analytics"), "labels.yaml", files={"labels.yaml": "a: [ C2\n"})
    world.refused(spec_of("Analytics"), "labels.yaml", files=labels_of({"a..b": ["C2"]}))
    world.refused(spec_of("Analytics", governance={"on_violation": "warn"}), "warn", "drop_column",
                  files=labels_of({"a": ["C2"]}))
