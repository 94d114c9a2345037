"""Jobs by pairs of options, and dumps that are hard for them: members and those who look like members, several ids,
duplicates with equal, newer, older, missing and odd times, consents of all kinds. Deterministic by seed."""
import random

import all_pairs
import generate

WANTED = "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae"
SECOND = "7841ba61-23c1-4bb3-a495-00d3a5fe1e93"
PAGE = "d41k70ce-8a2b-4c6f-9e13-5b7zz0f2a681"  # as on Adobe's page: no UUID
ODD = 'a/b "c" \u00e9\\'
NEVER = "00000000-0000-4000-8000-000000000000"
CONSENT = {"path": "consents.marketing.email.val", "allow": ["y", "dy", "VI"]}
ANY = {"path": "consents.marketing[*].val", "allow": ["y", "dy", "true"]}
SHARE = {"path": "consents.share.val", "allow": ["y", "true"], "missing": "allow"}
ALIKE = ["=C-1", "'=C-1", "C\n1", "C\r\n1", "C 1", "C\x001", "C1", "\0=C-1"]  # ids that csv options write alike

# Each factor's values: what is put into the job. None: nothing.
FACTORS = {
    "segments": [None, [WANTED], [WANTED, SECOND, PAGE], [WANTED, ODD], [NEVER, WANTED]],
    "split": [False, True],
    "namespace": [None, "UPS", "AudienceManager"],
    "statuses": [None, ["realized"], ["exited"], ["realized", "existing", "exited"]],
    "identity": [["identityMap.CustomerID"], ["identityMap.customerid", "_acme.crm.customerId"],
                 ["_acme.crm.customerId"], ["identityMap.ECID", "identityMap.CustomerID"]],
    "multiple": [None, "first", "explode"],
    "missing": [None, "skip"],
    "deduplicate": [None, "latest"],
    "timestamp": [None, "extSourceSystemAudit.lastUpdatedDate"],
    "consent": [None, [CONSENT], [SHARE], [ANY], [CONSENT, SHARE]],
    "required": [False, True],
    "dialect": [None, "pega"],
    "formula": [False, True],
    "null": [None, "NULL"],
    "header": [None, "first", "none"],
    "cut": [None, {"max_rows": 3}, {"max_bytes": 300}, {"count": 3}],
    "empty": [None, "header"],
    "compression": [None, "gzip", "zstd"],
    "pega": [None, {}, {"token": {"per": "file"}}, {"token": {"per": "none"}, "path_prefix": "A & B/<x>/"},
             {"token": {"per": "file", "replace_extension": True, "suffix": ".tok"}, "process_type": "D'I \"<&>\""},
             {"token": {"replace_extension": True}, "path_prefix": "CustomerData/"}],
    "rejects": [1000000, 1000000, "100%", 2],
    "trouble": [0, 0.1],
    "max_record": [None, "64KiB"],  # so small that runs in little memory can be among them
}

TIMES = ['"2025-06-03T22:47:19.412Z"', '"2025-06-03T22:47:19.412000Z"', '"2025-06-03T22:47:19.412001Z"',
         '"2025-06-03T22:47:19.4119999Z"', '"2025-06-04 00:47:19.412+02:00"', '"2025-06-04T00:47:19.412+0200"',
         '"2025-06-03 22:47:19.412"', "1748990839412", "1748990839412.0", "1748990839413", '"2025-06-03T22:47:19Z"',
         '"2025-06-03"', '"2024-12-31T23:59:59Z"', '"1969-12-31T23:59:59.5Z"', "-500", "-501", "0", '"1970-01-01"',
         '"9999-12-31T23:59:59Z"', '"0000-01-01"', '""', "null"]
ODD_TIMES = ['"yesterday"', '"2025-13-01"', "true", "[]", '{"a":1}', '"2025-06-03T22:47Z"', "1e300", '" 2025-06-03"']
CONSENTS = ['"y"'] * 40 + ['"dy"', '"n"', '"dn"', '"p"', '"u"', '"LI"', '"CT"', '"CP"', '"VI"', '"PI"', '"Y"', '""',
            "null", "true", "1", '{"val":"y"}', '["y"]']
STATUSES = ['"realized"'] * 4 + ['"existing"', '"existing"', '"existing"', '"exited"', '"exited"', '"exited"', '"Realized"', '"realized "', "null",
                                 "true", "1", '["realized"]', '{"status":"realized"}', '""']
NAMES = ["Zo\u00eb", "O'Neil \"Zed\" Smith, Jr.", "two\nlines", "cr\r\nlf", "=1+1", "-5", "@x", "\ttab", "NULL", "", "a;b",
         "nul\0inside", "\0", "plain", "plain", WANTED, "\U0001f600"]


def tables():
    """All jobs, table after table: the first len(table 1) of them hold every pair of values."""
    seed = 0
    while True:
        seed += 1
        r = random.Random(seed)
        for row in all_pairs.all_pairs({name: len(values) for name, values in FACTORS.items()}, r):
            yield {name: FACTORS[name][value] for name, value in row.items()}


class Jobs:
    """Number N of tables(), counted from 1; rows are made as they are asked for."""

    def __init__(self):
        self.source = tables()
        self.made = []

    def options(self, number):
        while len(self.made) < number:
            self.made.append(next(self.source))
        return self.made[number - 1]


def table_length():
    return len(all_pairs.all_pairs({name: len(values) for name, values in FACTORS.items()}, random.Random(1)))


def without_nothing(spec):
    return {key: value for key, value in spec.items() if value is not None}


def job_of(options):
    spec = {"name": "audience", "rejects": {"max": options["rejects"]}}
    spec["identity"] = without_nothing({"column": "CustomerID", "paths": options["identity"]} | {
        key: options[key] for key in ("multiple", "missing", "deduplicate", "timestamp")})
    split = options["segments"] is not None and options["split"]
    if options["segments"] is not None:
        spec["segments"] = without_nothing({"ids": options["segments"], "namespace": options["namespace"],
                                            "statuses": options["statuses"]})
        spec["segments"].update({"split": True, "names": {segment: f"seg-{number}" for number, segment in
                                                          enumerate(options["segments"])}} if split else {})
    if options["max_record"] is not None:
        spec["source"] = {"max_record": options["max_record"]}
    if options["consent"] is not None:
        spec["consent"] = {"require": options["consent"]}
    spec["csv"] = without_nothing({"dialect": options["dialect"], "null": options["null"], "header": options["header"],
                                   "formula_escape": options["formula"] or None})
    mark = "_{segment_name}" if split else ""
    spec["files"] = without_nothing({"name": "{name}" + mark + "_{part}.csv", "empty": options["empty"],
                                     "compression": options["compression"]} | (options["cut"] or {}))
    if options["pega"] is not None:
        spec["pega"] = dict(options["pega"], manifest="{name}" + mark + "_{run_time}.xml")
    spec["columns"] = [
        {"path": "person.name.firstName"},
        without_nothing({"name": "Email", "path": "personalEmail.address", "transform": ["trim", "lower"],
                         "required": options["required"] or None}),
        {"name": "Consent", "path": "consents.marketing.email.val", "default": "none"},
        {"name": "Seen", "path": "lastSeen", "type": "timestamp"},
        {"name": "Tags", "path": "_acme.tags[*]"},
        {"name": "Source", "constant": "=AEP"}]
    return spec


class Audience(generate.Generator):
    """Records for such a job."""

    def __init__(self, seed, options):
        super().__init__(seed)
        r = self.r
        self.options = options
        self.trouble = options["trouble"]
        self.bad_values = r.choice([0, 0, 0.003])
        self.duplicates = r.choice([0, 0, 0.02])
        self.prefixes = r.choice([0, 0, 0.05])
        self.escapes = r.choice([0, 0, 0.1, 0.7])
        self.odd_times = r.choice([0, 0, 0.05])
        self.layout = r.choice(["compact"] * 6 + ["spaced", "wild"])
        self.segments = options["segments"] or [WANTED]
        self.namespace = options["namespace"] or "ups"
        self.statuses = [f'"{status}"' for status in options["statuses"] or ["realized", "existing"]]
        self.customers = ["C-1", "C-2", "0007", "7", "000000000012345678901", "14575006536349286404619648085736425115",
                          "c-1", "a,b", "=5", WANTED, "\u00e9", "C-1 "][:r.choice([3, 12])]

    def spelled(self, namespace):
        return self.r.choice([namespace, namespace, namespace.lower(), namespace.upper(), namespace.capitalize()])

    def some(self, chance, key, value):
        """A member, or none. A value that takes time to write is given as its function."""
        if self.r.random() >= chance:
            return []
        return [(key, value() if callable(value) else value)]

    def lines(self, count):
        r = self.r
        lines = []
        while len(lines) < count:
            record = self.record().encode("utf-8")
            if lines and self.trouble and r.random() < self.trouble:
                record = self.damage(record)
            lines += record.split(b"\n")
        return lines

    def record(self):
        r = self.r
        members = (self.some(0.95, "segmentMembership", self.memberships)
                   + self.some(0.93, "identityMap", self.ids)
                   + self.some(0.25, "identities", self.identities)
                   + self.some(0.9, "_repo", lambda: self.members(self.some(0.9, "modifyDate", self.time())))
                   + self.some(0.5, "extSourceSystemAudit", lambda: self.members([("lastUpdatedDate", self.time())]))
                   + self.some(0.9, "consents", self.consents)
                   + self.some(0.9, "person", lambda: self.members([("name", self.members(self.some(0.9, "firstName", self.name())))]))
                   + self.some(0.8, "personalEmail", self.members(
                       [("address", r.choice(['"A@Example.org "'] * 12 + ['"b@example.org"', '""', '" "', "null"]))]))
                   + self.some(0.6, "lastSeen", r.choice(['"2025-06-03T22:47:19Z"', "null", '""', "0"]))
                   + self.some(0.7, "_acme", self.tenant) + self.look_alikes())
        return self.members(members)

    def name(self):
        return self.string(self.r.choice(NAMES))

    def time(self):
        return self.r.choice(ODD_TIMES if self.r.random() < self.odd_times else TIMES)

    def tenant(self):
        r = self.r
        crm = self.members(self.some(0.8, "customerId", r.choice(
            [self.string(r.choice(self.customers))] * 16 + ["7", '""', "null", '{"id":"x"}', "[1]"])))
        return self.members([("crm", crm)] + self.some(0.5, "tags", self.join("[", [self.name() for _ in range(
            r.choice([0, 1, 2]))], "]")))

    # --- memberships

    def memberships(self):
        r = self.r
        if r.random() < 0.03:
            return r.choice(["null", "[]", '"ups"', "{}"])
        groups = []
        for _ in range(r.choice([1, 1, 1, 2])):
            groups.append((self.spelled(self.namespace), self.group(r.choice([0.5, 0.8, 0.95]))))
        if r.random() < 0.4:  # the wanted ids, in a namespace that does not count
            groups.append((r.choice(["aam", "ups2", "up", "AudienceManager" if self.namespace != "AudienceManager" else "ups"]),
                           self.group(0.8)))
        return self.members(groups)

    def group(self, chance):
        r = self.r
        if r.random() < 0.04:
            return r.choice(["null", "[]", self.string(self.segments[0]), "1"])
        members = []
        for segment in self.segments:
            if segment != NEVER and r.random() < chance:
                members.append((segment, self.membership()))
        for other in (SECOND, "x" + self.segments[0], self.segments[0].upper(), self.segments[0][:-1], "1089214"):
            members += self.some(0.2, other, self.membership)
        return self.members(members)

    def membership(self):
        r = self.r
        if r.random() < 0.04:
            return r.choice(["null", "[]", '"realized"', "{}", "true"])
        return self.members(
            self.some(0.95, "status", r.choice(self.statuses if r.random() < 0.6 else STATUSES)) + self.some(0.5, "lastQualificationTime", self.time())
            + self.some(0.1, "payload", self.members([("status", '"realized"'), (self.segments[0], '"realized"')])))

    def look_alikes(self):
        """The ids and names of what counts, in places where they don't."""
        return (self.some(0.15, "note", self.string(self.segments[0]))
                + self.some(0.1, self.segments[0], lambda: self.members([("status", '"realized"')]))
                + self.some(0.1, "ups", lambda: self.members([(self.segments[0], self.members([("status", '"realized"')]))]))
                + self.some(0.1, "copy", lambda: self.members([("segmentMembership", self.members([("ups", self.group(1))])),
                                                       ("identityMap", self.ids())]))
                + self.some(0.1, "text", self.string('{"segmentMembership":{"ups":{"' + self.segments[0]
                                                     + '":{"status":"realized"}}}}')))

    # --- ids

    def entry(self):
        r = self.r
        value = self.string(r.choice(self.customers)) if r.random() < 0.85 else r.choice(
            ["null", '""', "12", "007", "true", '{"id":"x"}', "[]"] + [self.string(text) for text in ALIKE])
        return self.some(0.95, "id", value) + self.some(0.5, "primary", r.choice(["true", "false", "false", "null", '"true"']))

    def ids(self):
        r = self.r
        if r.random() < 0.03:
            return r.choice(["null", "[]", '"CustomerID"'])
        groups = []
        for namespace in ("CustomerID", "ECID", "Email"):
            for _ in range(r.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])):
                entries = [self.members(self.entry()) if r.random() < 0.95 else r.choice(["null", '"C-1"', "[]"])
                           for _ in range(r.choice([0, 1, 1, 1, 1, 2, 2, 3, 5]))]
                value = self.join("[", entries, "]")
                if r.random() < 0.03:  # an object in place of the array, and other wrong types
                    value = r.choice([self.members(self.entry()), "null", '"C-1"', "12"])
                groups.append((self.spelled(namespace), value))
        return self.members(groups)

    def identities(self):
        r = self.r
        if r.random() < 0.04:
            return r.choice(["null", "{}", '"C-1"'])
        entries = []
        for _ in range(r.choice([1, 1, 2, 4])):
            code = self.string(self.spelled(r.choice(["CustomerID", "ECID", "Email"])))
            namespace = r.choice([self.members([("code", code)])] * 8 + [self.members([("code", "null")]), code, "null"])
            entries.append(self.members(self.entry() + self.some(0.95, "namespace", namespace)))
        return self.join("[", entries, "]")

    def consents(self):
        r = self.r
        email = self.members(self.some(0.93, "val", r.choice(CONSENTS)) + self.some(0.2, "time", self.time()))
        return self.members(
            self.some(0.9, "marketing", self.members([("any", '{"val":"y"}'), ("email", email)]))
            + self.some(0.5, "share", self.members(self.some(0.9, "val", r.choice(CONSENTS)))))
