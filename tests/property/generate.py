"""Random jobs and dumps that fit each other: every trick that real and broken dumps play. Deterministic by seed."""
import random
import re

KEYS = ["a", "b", "c", "d", "id", "type", "primary", "name", "val", "status", "x y", "\u00e9", "", "k\"q", "\U0001f600",
        "back\\slash", "a.b", "tab\there", "A", "xdm:pre", "_tenant", "identityMap", "a-b:c", "attribute_0001",
        "attribute_0002", "nul\0key", "/", "[0]", "quote'", "long_key_" + "y" * 60]
NAMESPACES = ["CustomerID", "customerid", "Email", "ECID", "EMAIL", "xdm:ecid"]
TEXTS = ["", "a", "b", "home", "work", "NULL", "0", "-", "=1+1", "+49", "-5", "@x", "\tx", "\rx", "two words", "a,b",
         "a;b", "a|b", "say \"hi\"", "line\nbreak", "cr\r\nlf", "lone\rcr", "\n", "\r\n\r\n", " padded ", "\t", "  ",
         "Stra\u00dfe", "\u0130stanbul", "\u01c5 \u01c6", "\u1f80\u1fb3", "\u03a3\u03c2 \u039f\u03a3", "\ufb01x",
         "\u023a\u2c65", "\u0149", "\u1e9e", "\ua64a\u1c88", "\U00010400\U00010428", "\u00e9", "\u65e5\u672c\u8a9e",
         "\U0001f600", "\u2028", "\u00a0x\u00a0", "\x7f", "\ufeffbom", "'", "true", "null", "{}", "[1]", "\\N", "\\"]
TIMES = ["2025-06-03T22:47:19.412Z", "2025-06-03t22:47:19z", "2024-02-29", "2023-02-29", "2025-06-01 02:41:50",
         "2025-01-05T12:30:00+09:00", "2025-01-05T12:30:00-0330", "2025-01-05T12:30:00", "0000-01-01T00:00:00Z",
         "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "1900-02-29", "2000-02-29T23:59:60Z", "2025-13-01",
         "2025-00-10", "2025-04-31", "2025-06-03T24:00:00Z", "2025-06-03T23:60:00Z", "2025-06-03T22:47Z", "2025-6-3",
         "2025-06-03T22:47:19.Z", "2025-06-03T22:47:19,5Z", "2025-06-03T22:47:19+09", "2025-06-03T22:47:19+24:00",
         "2025-06-03T22:47:19 Z", " 2025-06-03", "2025-06-03Z", "20250603", "", "now", "1970-01-01T00:00:00.999999999999Z",
         "2025-06-03T22:47:19+0000", "\uff12025-06-03", "2025-06-03T22:47:19+23:59", "2025-06-03T22:47:19-00:60"]
NUMBERS = ["0", "-0", "1", "42", "-5", "1.0", "1.50", "1E5", "1e+5", "-12.5e-300", "0.1", "100", "1748990839412", "-1",
           "-62167219200000", "-62167219200001", "253402300799999", "253402300800000", "12345678901234567890123",
           "0.10000000000000000000001", "1e400", "3.14159265358979323846264338327950288", "1700000000000"]
BAD_SCALARS = ["01", "-", "1.", ".5", "+1", "1e", "tru", "nul", "True", "NaN", "Infinity", "0x10", "truefalse", "1_000",
               "\u00e9", "'a'", "--1", "1.2.3", "nulll", "\x01", "1\x00"]
BARE = re.compile(r"[A-Za-z0-9_\-:\x80-\U0010ffff]+\Z")


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        r = self.r
        self.keys = r.sample(KEYS, 9)
        if r.random() < 0.5:
            self.keys += ["identityMap"]
        self.template = self.branch(0)
        if r.random() < 0.9:
            self.template[1]["identityMap"] = ("identityMap", r.sample(NAMESPACES, r.randint(1, 3)))
        self.trouble = r.choice([0, 0, 0.05, 0.2, 0.7])     # share of records that are damaged
        self.bad_values = r.choice([0, 0, 0.01, 0.05])     # lone surrogates, NUL, bad scalars
        self.duplicates = r.choice([0, 0, 0.03, 0.1])
        self.prefixes = r.choice([0, 0, 0.1, 0.3])
        self.layout = r.choice(["compact", "compact", "spaced", "wild"])
        self.escapes = r.choice([0, 0, 0.05, 0.5])
        self.bad_times = r.choice([0, 0, 0.05, 0.5])
        self.depth = 1024

    # --- templates: ("object", {key: template}), ("list", template), ("scalar", kind), ("identityMap", namespaces)

    def branch(self, level):
        r = self.r
        members = {}
        for key in r.sample(self.keys, r.randint(1, min(6, len(self.keys)))):
            members[key] = self.sub(level + 1)
        return ("object", members)

    def sub(self, level):
        r = self.r
        pick = r.random()
        if level >= 4 or pick < 0.5:
            return ("scalar", r.choice(["text", "text", "number", "time", "any"]))
        if pick < 0.72:
            return self.branch(level)
        return ("list", self.sub(level + 1))

    # --- records

    def text(self):
        r = self.r
        pick = r.random()
        if pick < 0.75:
            return r.choice(TEXTS)
        if pick < 0.85:
            return r.choice(TIMES)
        if pick < 0.97:
            return "".join(r.choice("abc \"\\,;|\n\r\té\U0001f600") for _ in range(r.randint(0, 80)))
        if pick < 0.998:
            return r.choice("ab\u00e9\"\n") * r.randint(100, 3000)
        return "long " * r.randint(14000, 20000)

    def string(self, text):
        """A JSON string with escapes as the mood is. Parts of `bad` are put in raw."""
        r = self.r
        out = ['"']
        for c in text:
            code = ord(c)
            if c in '"\\' or code < 0x20:
                short = {"\"": '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
                if c in short and r.random() >= self.escapes:
                    out.append(short[c])
                else:
                    out.append(self.unit(code))
            elif self.escapes and r.random() < self.escapes:
                if c == "/" and r.random() < 0.5:
                    out.append("\\/")
                elif code > 0xFFFF:
                    high = 0xD800 + ((code - 0x10000) >> 10)
                    out.append(self.unit(high) + self.unit(0xDC00 + (code & 0x3FF)))
                else:
                    out.append(self.unit(code))
            else:
                out.append(c)
        if self.bad_values and r.random() < self.bad_values:
            bad = r.choice(["\\ud800", "\\udc00x", "\\ud83d\\ud83d\\ude00", "\\u0000", "\\x", "\\u12g4", "\\u00", "\x01",
                            "\\U0041", "\\", "\\u0000\\ud800"])
            out.insert(r.randint(1, len(out)), bad)
        out.append('"')
        return "".join(out)

    def unit(self, code):
        return "\\u" + (f"{code:04x}" if self.r.random() < 0.5 else f"{code:04X}")

    def blank(self):
        r = self.r
        if self.layout == "compact":
            return ""
        if self.layout == "spaced":
            return r.choice(["", " "])
        return "".join(r.choices(" \t\r", k=r.choice([0, 0, 1, 2, 5, 70])))

    def scalar(self, kind):
        r = self.r
        if self.bad_values and r.random() < self.bad_values:
            return r.choice(BAD_SCALARS)
        if kind == "any" or r.random() < 0.1:
            kind = r.choice(["text", "number", "time", "null", "true", "false"])
        if kind == "text":
            return self.string(self.text())
        if kind == "time":
            if r.random() < self.bad_times:
                return self.string(r.choice(TIMES)) if r.random() < 0.7 else r.choice(NUMBERS)
            return r.choice(['"2025-06-03T22:47:19.412Z"', '"2024-02-29"', '"1969-12-31T23:59:59-08:00"', '"2025-06-01 02:41:50"',
                             '"2025-01-05t12:30:00+0930"', "1748990839412", "-1", "null", '""'])
        if kind == "number":
            return r.choice(NUMBERS) if r.random() < 0.95 else "1" * r.randint(20, 400)
        return kind

    def deep(self, levels):
        r = self.r
        opening = [r.choice(["[", '{"a":', '{"id":"x","b":']) for _ in range(max(0, levels))]
        closing = "".join("]" if o == "[" else "}" for o in reversed(opening))
        return "".join(opening) + r.choice(["1", '"]"', "null", '"[{"']) + closing

    def instance(self, template, level=1):
        r = self.r
        if r.random() < 0.04:
            template = r.choice([("scalar", "any"), ("object", {}), ("list", ("scalar", "any"))])
        kind = template[0]
        if kind == "scalar":
            if r.random() < 0.01:
                return self.deep(r.randint(0, 6) if r.random() < 0.6 else self.depth - level + r.randint(-2, 2))
            return self.scalar(template[1])
        if kind == "list":
            count = r.choice([0, 1, 1, 2, 3, 6])
            if r.random() < 0.004:
                count = 1500
            if r.random() < 0.05:
                template = ("list", ("scalar", "any"))
            return self.join("[", [self.instance(template[1], level + 1) for _ in range(count)], "]")
        if kind == "identityMap":
            return self.identity_map(template[1])
        members = [(k, self.instance(t, level + 1)) for k, t in template[1].items() if r.random() < 0.92]
        if r.random() < 0.3:
            members.append((r.choice(KEYS), self.scalar("any")))
        return self.members(members)

    def members(self, members):
        r = self.r
        if r.random() < 0.2:
            r.shuffle(members)
        done = []
        for key, value in members:
            if self.prefixes and r.random() < self.prefixes:
                if r.random() < 0.3:
                    done.append((key, self.scalar("any")))
                key = "xdm:" + key
            done.append((key, value))
            if self.duplicates and r.random() < self.duplicates:
                done.insert(r.randint(0, len(done)), (key, self.scalar("any") if r.random() < 0.5 else value))
        return self.join("{", [self.string(k) + self.blank() + ":" + self.blank() + v for k, v in done], "}")

    def join(self, opening, items, closing):
        out = [opening, self.blank()]
        for number, item in enumerate(items):
            if number:
                out += [",", self.blank()]
            out += [item, self.blank()]
        return "".join(out) + closing

    def identity_map(self, namespaces):
        r = self.r
        members = []
        for name in namespaces:
            entries = []
            for _ in range(r.choice([0, 1, 1, 1, 1, 1, 2, 3])):
                entry = []
                if r.random() < 0.9:
                    value = self.scalar("any") if r.random() < 0.2 else self.string(r.choice(["C-1", "00012", "x@y.z", "4711", "=1", "a,b", ""]))
                    entry.append(("id", value))
                if r.random() < 0.6:
                    entry.append(("primary", r.choice(["true", "false", "false", "null", '"true"'])))
                if r.random() < 0.3:
                    entry.append(("authenticatedState", '"ambiguous"'))
                entries.append(self.members(entry) if r.random() < 0.95 else self.scalar("any"))
            value = self.join("[", entries, "]") if r.random() < 0.93 else self.scalar("any")
            if r.random() < 0.95:
                members.append((name, value))
        return self.members(members)

    def damage(self, record):
        r = self.r
        raw = bytearray(record)
        pick = r.random()
        for _ in range(r.choice([1, 1, 1, 2, 5])):
            at = r.randrange(len(raw) + 1)
            junk = r.choice([b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b" ", b"\t", b"\x00", b"\x1f", b"\x7f", b"\xff",
                             b"\xc3", b"\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"a", b"1", b"-", b"e",
                             b".", b"null", b'"x"', b"{}", b'\\"', b",,", b"\xef\xbb\xbf", b"\r", b"\xf0\x9f\x98"])
            if pick < 0.35:
                raw[at:at] = junk
            elif pick < 0.6:
                raw[at:at + 1] = junk
            elif pick < 0.75:
                del raw[at:at + r.randint(1, 4)]
            elif pick < 0.85:
                del raw[at:]
            elif pick < 0.9:
                raw += junk
            elif pick < 0.95:
                end = min(len(raw), at + r.randint(1, 40))
                raw[at:at] = raw[at:end]
            else:
                raw = bytearray(r.choice([b"[1]", b"null", b'"x"', b"12", b"{}", b"{} {}", b"{}x", b'{"a":1}}', b"[[",
                                          b'{"a":"', b'{"a":"x\\"}', b"{,}", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{1:2}",
                                          b'{"a" "b"}', b'{"a":1 "b":2}', b'{"a":1}{"a":2}', b"[] x", b'{"a":[}',
                                          b'{"a":[1}', b'{"a":{]}', b"{", b'{"', b'{"a\\', b'{"a":tru}', b"-0", b"false"]))
                break
        return bytes(raw)

    def record(self):
        return self.instance(self.template).encode("utf-8") if self.r.random() >= 0.02 else b"{}"

    def lines(self, count):
        """Records as lines without their ends; the first one is a whole object, as a dump's format is told by it."""
        r = self.r
        lines = []
        while len(lines) < count:
            record = self.members([(k, self.instance(t, 2)) for k, t in self.template[1].items()]).encode("utf-8")
            if lines and self.trouble and r.random() < self.trouble:
                record = self.damage(record)
            if lines and r.random() < 0.02:
                record = r.choice([b"", b"   ", b"\t\r"])
            if r.random() < 0.05:
                record = r.choice([b" ", b"\t", b"\r", b"   "]) + record
            if r.random() < 0.05:
                record += r.choice([b" ", b"\t", b"   ", b" \r"])
            lines += record.split(b"\n")
        return lines

    # --- jobs

    def path_text(self, parts):
        """One of the spellings of the parts."""
        r = self.r
        out = "$" if r.random() < 0.1 else ""
        for part in parts:
            if part[0] == "name":
                if BARE.match(part[1]) and r.random() < 0.85:
                    out += ("." if out else "") + part[1]
                else:
                    out += "[" + self.pad() + self.literal(part[1]) + self.pad() + "]"
            elif part[0] == "index":
                out += f"[{self.pad()}{part[1]}{self.pad()}]"
            elif part[0] == "wildcard":
                out += "[" + self.pad() + "*" + self.pad() + "]"
            else:
                key = "." + part[1] if BARE.match(part[1]) and r.random() < 0.8 else "[" + self.literal(part[1]) + "]"
                literal = self.literal(part[2]) if part[3] == "string" else part[2]
                out += f"[?{self.pad()}@{key}{self.pad()}=={self.pad()}{literal}{self.pad()}]"
        return out

    def pad(self):
        return " " if self.r.random() < 0.1 else ""

    def literal(self, text):
        r = self.r
        quote = r.choice("'\"")
        out = quote
        for c in text:
            code = ord(c)
            if c == quote or c == "\\":
                out += "\\" + c
            elif code < 0x20 or (code < 0x10000 and r.random() < 0.1) or c in "\x7f\ufeff\u2028\u00a0":
                out += self.unit(code)
            elif code >= 0x10000 and r.random() < 0.3:
                out += self.unit(0xD800 + ((code - 0x10000) >> 10)) + self.unit(0xDC00 + (code & 0x3FF))
            else:
                out += c
        return out + quote

    def parts(self):
        """A walk down the template, with slips."""
        r = self.r
        parts = []
        at = self.template
        while True:
            if at[0] == "object" and at[1]:
                if parts and r.random() < 0.08:
                    return parts
                if parts and r.random() < 0.06:
                    parts.append(("wildcard",))
                    at = r.choice(list(at[1].values()))
                elif r.random() < 0.03:
                    parts.append(self.filter_part(at))
                    at = r.choice(list(at[1].values()))
                elif r.random() < 0.06:
                    parts.append(("name", r.choice(KEYS)))
                    at = r.choice(list(at[1].values()))
                else:
                    key = r.choice(list(at[1]))
                    parts.append(("name", key))
                    at = at[1][key]
            elif at[0] == "list":
                pick = r.random()
                if parts and pick < 0.1:
                    return parts
                if pick < 0.45:
                    parts.append(("wildcard",))
                elif pick < 0.75:
                    parts.append(("index", r.choice([0, 0, 1, 2, -1, -2, 1000])))
                elif pick < 0.97:
                    parts.append(self.filter_part(at[1]))
                else:
                    parts.append(("name", r.choice(KEYS)))
                at = at[1]
            elif at[0] == "identityMap":
                parts.append(("name", r.choice(NAMESPACES[:5] if r.random() < 0.97 else NAMESPACES)))
                if r.random() < 0.2:
                    return parts
                parts.append(r.choice([("wildcard",), ("wildcard",), ("index", 0), ("filter", "primary", "true", "true")]))
                if r.random() < 0.9:
                    parts.append(("name", "id"))
                return parts
            else:
                if not parts or r.random() < 0.05:
                    parts.append(("name", r.choice(KEYS)))
                return parts

    def parts_to(self, kind):
        """The way to a scalar of this kind through objects alone, None when a few tries don't find one."""
        for _ in range(6):
            parts = []
            at = self.template
            while at[0] == "object" and at[1]:
                key = self.r.choice(list(at[1]))
                parts.append(("name", key))
                at = at[1][key]
            if at == ("scalar", kind):
                return parts
        return None

    def filter_part(self, template):
        r = self.r
        key = r.choice(list(template[1])) if template[0] == "object" and template[1] else r.choice(KEYS)
        kind = r.choice(["string", "string", "number", "true", "false", "null"])
        literal = kind
        if kind == "string":
            literal = r.choice(TEXTS)
        elif kind == "number":
            literal = r.choice(NUMBERS)
        return ("filter", key, literal, kind)

    def job(self):
        r = self.r
        spec = {"name": r.choice(["acme-customer", "x", "A_1"])}
        csv = {}
        options = {
            "delimiter": [",", ";", "|", "\t", " "], "quote": ["necessary", "all"], "header": ["every", "first", "none"],
            "line_end": ["lf", "crlf"], "null": ["", "", "NULL", "\\N", "-", "0"], "newline_in_value": ["keep", "space"],
            "null_character": ["reject", "drop"], "list_separator": ["|", ",", "", "; ", "\u00a6"],
            "formula_escape": [True, False]}
        for key, values in options.items():
            if r.random() < 0.4:
                csv[key] = r.choice(values)
        if r.random() < 0.15:
            csv["dialect"] = r.choice(["pega", "rfc4180"])
            csv.pop("newline_in_value", None)
            csv.pop("null_character", None)
        if csv or r.random() < 0.3:
            spec["csv"] = csv
        spec["identity"] = {"column": "CustomerID", "paths": self.identity_paths()}
        if r.random() < 0.4:
            spec["identity"]["multiple"] = r.choice(["primary", "first"])
        if r.random() < 0.4:
            spec["identity"]["missing"] = r.choice(["reject", "skip"])
        spec["columns"] = [self.column(f"Col{number}", csv.get("null", "")) for number in range(r.choice([1, 2, 3, 5, 9]))]
        source = {}
        if r.random() < 0.25:
            source["max_depth"] = r.choice([1, 3, 4, 5, 6, 7, 9, 1023, 1025])
        if r.random() < 0.8:
            source["max_record"] = r.choice(["16MiB", "64KiB", "64KiB", "100KiB"])
        if r.random() < 0.15:
            source["max_record"] = r.choice([100, 300, 500, 1000, 1500, "4KiB"])
        if source:
            spec["source"] = source
        self.depth = source.get("max_depth", 1024)
        files = {}
        if r.random() < 0.3:
            files["max_rows"] = r.choice([1, 2, 3, 7, 1000])
        if r.random() < 0.3:
            files["max_bytes"] = r.choice([1, 40, 100, 333, "1KiB", "10KB"])
        if r.random() < 0.2:
            files["name"] = r.choice(["{part}.csv", "{name}-{run_id}-{part}", "d_{run_time}.{part}.txt"])
        if files:
            spec["files"] = files
        spec["rejects"] = {"max": r.choice([1000000] * 9 + ["100%"] * 3 + [0, 1, 2, 5, "5%", "50%", "0.5%"])}
        return spec

    def identity_paths(self):
        r = self.r
        paths = []
        mapped = self.template[1].get("identityMap", ("none",))
        for number in range(r.choice([1, 2, 2, 3])):
            if number == 1 and r.random() < 0.5 and self.parts_to("text"):
                paths.append(self.path_text(self.parts_to("text") or [("name", "id")]))
            elif mapped[0] == "identityMap" and (number == 0 or r.random() < 0.4) and r.random() < 0.95:
                name = r.choice(mapped[1])
                name = name[4:] if name.startswith("xdm:") else name
                paths.append(self.path_text([("name", "identityMap"), ("name", name)]))
            elif r.random() < 0.3:
                paths.append(self.path_text([("name", "identityMap"), ("name", r.choice(NAMESPACES[:5]))]))
            else:
                paths.append(self.path_text(self.parts()))
        return paths

    def column(self, name, null):
        r = self.r
        column = {"name": name}
        if r.random() < 0.05:
            column["constant"] = r.choice(["AEP", "", "=x", "a,b", "say \"x\""])
            if column["constant"] == null:
                column["constant"] = "AEP"
            return column
        column["path"] = self.path_text(self.parts())
        if r.random() < 0.3:
            column["fallback"] = [self.path_text(self.parts()) for _ in range(r.choice([1, 1, 2, 3]))]
        if r.random() < 0.2:
            column["default"] = r.choice(["US", "=d", "a;b"])
        if r.random() < 0.07:
            column["required"] = r.choice([True, True, False])
        if r.random() < 0.25:
            parts = self.parts_to("time")
            if parts is not None or r.random() < 0.15:
                column["type"] = r.choice(["timestamp", "date"])
                if parts is not None:
                    column["path"] = self.path_text(parts)
                    if r.random() < 0.7:
                        column.pop("fallback", None)
                if r.random() < 0.1:
                    column["transform"] = r.choice([["trim"], ["upper"], ["lower"]])
        elif r.random() < 0.3:
            column["transform"] = r.choice([["trim"], ["lower"], ["upper"], ["sha256"], ["trim", "lower"],
                                            ["trim", "lower", "sha256"], ["upper", "trim"], ["sha256", "upper"]])
        return column


def dump(r, lines):
    """The lines as one file's bytes: line ends, blank lines, BOM, last line as the mood is."""
    end = r.choice([b"\n", b"\n", b"\r\n"])
    out = b"\xef\xbb\xbf" if r.random() < 0.1 else b""
    mixed = r.random() < 0.1
    for number, line in enumerate(lines):
        out += line
        if number + 1 < len(lines) or r.random() < 0.6:
            out += r.choice([b"\n", b"\r\n", b"\n\n", b"\n \r\n"]) if mixed else end
    return out


# Jobs for profilegen's dumps: paths of the profiles that it writes, all kinds of options.
PROFILE_PATHS = ["person.name.firstName", "person.name.lastName", "person", "personalEmail.address", "personalEmail",
                 "mobilePhone.number", "homeAddress.street1", "homeAddress['city']", "homeAddress.countryCode",
                 "_acme.loyalty.tier", "_acme.loyalty.points", "_acme.churnScore", "_acme.lifetimeValue", "_acme.tags[*]",
                 "_acme.tags[0]", "_acme.tags[-1]", "_acme.tags", "_acme.loyalty[*]", "consents.marketing.email.val",
                 "consents.marketing", "identityMap.email[*].id", "identityMap.Email[0].id", "identityMap",
                 "identityMap.ECID[?@.primary == false].id", "segmentMembership.ups", "_id", "testProfile", "nothing.here"]
PROFILE_TIMES = ["_repo.modifyDate", "_repo.createDate", "_acme.loyalty.joinDate"]


def profile_job(seed):
    generator = Generator(seed)
    r = generator.r
    spec = generator.job()
    spec["identity"]["paths"] = r.choice([["identityMap.CustomerID"], ["identityMap.customerid", "_id"],
                                          ["personID", "_id"], ["identityMap.ECID"], ["identityMap.Email"]])
    columns = []
    for number, path in enumerate(r.sample(PROFILE_PATHS, r.randint(1, 12))):
        column = {"name": f"Col{number}", "path": path}
        if r.random() < 0.2:
            column["transform"] = r.choice([["trim"], ["lower"], ["upper"], ["sha256"]])
        if r.random() < 0.2:
            column["default"] = "none"
        if r.random() < 0.1:
            column["required"] = True
            column.pop("default", None)
        columns.append(column)
    if r.random() < 0.6:
        columns.append({"name": "Modified", "path": r.choice(PROFILE_TIMES), "type": r.choice(["timestamp", "date"])})
    spec["columns"] = columns
    spec["source"] = {"max_record": r.choice(["16MiB", "64KiB", "4KiB"])}
    if r.random() < 0.8:
        spec["rejects"] = {"max": 1000000}
    return spec


# What profilegen's --truth was made for: every broken record must get the code that it names.
TRUTH_JOB = {
    "name": "demo", "identity": {"column": "CustomerID", "paths": ["identityMap.CustomerID"]},
    "rejects": {"max": 1000000},
    "columns": [{"name": path.split(".")[-1] + str(number), "path": path} for number, path in enumerate([
        "person.name.firstName", "person.name.lastName", "personalEmail.address", "mobilePhone.number",
        "homeAddress.street1", "homeAddress.city", "homeAddress.postalCode", "homeAddress.countryCode",
        "_acme.loyalty.tier", "_acme.loyalty.points", "_acme.churnScore", "_acme.lifetimeValue", "_acme.preferredStore",
        "consents.marketing.email.val", "_repo.modifyDate"])]
    + [{"name": "ModifiedAt", "path": "_repo.modifyDate", "type": "timestamp"}, {"name": "Tags", "path": "_acme.tags[*]"}],
}
