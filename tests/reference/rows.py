"""One record to what becomes of it: a row, or why there is none."""
import re

from . import identity
from .check import Check
from .json_walk import NUMBER, Defects, Record, valid_utf8
from .readings import READINGS, Ambiguous
from .selection import Selection
from .times import micros_of_number, micros_of_text, seconds_of_number, seconds_of_text, time_text
from .values import Cell, changed, transformed


class Opened:
    """A record that was parsed: dropped by `outcome`, or its ids, time and streams with all that its rows need."""

    def __init__(self, outcome, high=False):
        self.outcome = outcome  # ("failed", code, paths), ("skipped", reason), None: it goes on
        self.high = high        # a key stands twice somewhere that may count
        self.selection = None
        self.members = [0]      # numbers of the streams that its rows go to
        self.ids = []           # Values; [None] in a job without identity
        self.time = None        # microseconds, for `deduplicate`


class Converter:
    """open(): parse, segments, identity, and what `deduplicate` compares. close(): consent, required, columns."""

    def __init__(self, job):
        self.job = job
        self.all_paths = [(p, 0, True) for p in job.identity_paths]
        self.all_paths += [(p, 0, False) for c in job.columns for p in c.paths]
        self.all_paths += [(rule.path, 0, False) for rule in job.consent]
        self.all_paths += [(job.timestamp, 0, False)] if job.timestamp else []
        self.all_paths += [(p, 0, False) for p in job.segments.paths] if job.segments is not None else []

    def spellings(self, texts):
        """All paths of the job that select the same as one of these: a reject line may name any of them."""
        paths = [path for path, _, _ in self.all_paths]
        parts = [path.parts for path in paths if path.text in texts]
        return {path.text for path in paths if path.parts in parts}

    def record(self, raw, line_length):
        """What becomes of a record that is alone with its key: ("failed", code, paths), ("skipped", reason) or
        ("rows", [cells of each]); and whether it counts as one with a duplicate key: (surely, perhaps)."""
        opened = self.open(raw, line_length)
        return opened.outcome or self.close(opened, range(len(opened.ids))), self.duplicates(opened)

    def duplicates(self, opened):
        """Of a record that is delivered."""
        low = opened.selection is not None and opened.selection.check.duplicates
        return low, low or opened.high

    # --- parse, segments, identity

    def open(self, raw, line_length):
        segments = self.job.segments
        if segments is None or READINGS["prefilter"] is False or segments.can_be_named(raw):
            return self.parsed(raw, line_length)
        skipped = Opened(("skipped", "segment"))
        if READINGS["prefilter"] is None:
            parsed = self.parsed(raw, line_length)
            if parsed.outcome != skipped.outcome:
                raise Ambiguous("a broken record that can't name a segment")
            return parsed
        if line_length > self.job.max_record:
            raise Ambiguous("too large, and it can't name a segment")
        return skipped

    def parsed(self, raw, line_length):
        if len(raw) > self.job.max_record:
            if not valid_utf8(raw):
                raise Ambiguous("too large and not UTF-8")
            return Opened(("failed", "too_large", {""}))
        if line_length > self.job.max_record:
            raise Ambiguous("too large only with its blanks")
        if not valid_utf8(raw):
            return Opened(("failed", "utf8", {""}))
        outcomes = {}
        high = False
        for unclosed in [READINGS["unclosed"]] if READINGS["unclosed"] else ["end", "open"]:
            record = Record(raw, self.job.max_depth, unclosed) if raw[:1] == b"{" else None
            for enter in [READINGS["enter"]] if READINGS["enter"] else ["needed", "reached"]:
                code, duplicates = self.parse_code(raw, record, enter)
                outcomes[(unclosed, enter)] = code
                high |= duplicates
        if len(set(outcomes.values())) > 1:
            raise Ambiguous("parse defect: " + " or ".join(sorted(str(c) for c in set(outcomes.values()))))
        code = next(iter(outcomes.values()))
        if code is not None:
            return Opened(("failed", code, {""}), high)
        opened = Opened(None, high)
        opened.selection = Selection(record, Check(record))
        opened.outcome = self.identify(opened)
        return opened

    def parse_code(self, raw, record, enter):
        if record is None:
            return self.root_code(raw), False
        check = Check(record)
        if enter == "reached":
            check.reach(record.root, self.all_paths)
            if any(path.namespace is not None for path in self.job.identity_paths):
                check.reach_identities(record.root)
            check.enter(record.root)
        else:
            check.enter(record.root)
            opened = Opened(None)
            opened.selection = Selection(record, check)
            try:
                opened.selection.look_at_all(self.job)
                if self.identify(opened) is None:
                    self.close(opened, range(len(opened.ids)))
            except Ambiguous as question:
                if "compared" in str(question) or (record.defects.first is None and check.defects.first is None):
                    raise  # otherwise a defect of the syntax goes before what the question is about
        first = Defects()
        for defect in (check.defects.first, record.defects.first):
            if defect is not None:
                first.add(*defect)
        return (first.first[1] if first.first else None), check.duplicates

    def root_code(self, raw):
        if raw[:1] == b"[":
            return "not_an_object"
        token = re.match(rb'[^ \t\r\n{}\[\]:,"]*', raw).group()
        if raw[:1] != b'"' and (token in (b"true", b"false", b"null") or NUMBER.match(token)):
            return "not_an_object"
        if raw[:1] == b'"':
            return "not_an_object"  # whatever follows stands behind the first byte
        if READINGS["root_junk"] is None:
            raise Ambiguous("a record that begins with no JSON value")
        return READINGS["root_junk"]

    def identify(self, opened):
        """Segments, identity and the time to compare: fills `opened`, returns the outcome of what drops it."""
        job, selection = self.job, opened.selection
        if job.segments is not None:
            opened.members, defects = job.segments.memberships(selection)
            if defects:
                return self.compared(defects)
            if not opened.members:
                return ("skipped", "segment")
            if not job.segments.split:
                opened.members = [0]
        opened.ids = [None]
        if job.identity_column is None:
            return None
        try:
            opened.ids = identity.ids_of(selection, job)
        except identity.WrongType as wrong:
            return ("failed", "missing_identity", self.spellings({str(wrong)}))
        if not opened.ids:
            if job.missing == "skip":
                return ("skipped", "identity")
            return ("failed", "missing_identity", {""} | {p.text for p in job.identity_paths})
        early = []
        for value in opened.ids:
            self.marks(value, early)
        if early and READINGS["identity_value"] == "identity":
            early.sort(key=lambda d: d[0])
            return ("failed", early[0][2], self.spellings({opened.ids[0].path.text}))
        return self.note_time(opened) if job.deduplicate else None

    def compared(self, defects):
        """The outcome of lone surrogates and NULs in compared texts: (position, code, path)."""
        if self.job.null_drop and any(code == "null_character" for _, code, _ in defects):
            raise Ambiguous("NUL in a compared value, and csv.null_character: drop")
        _, code, _ = min(defects)
        return ("failed", code, self.spellings({path for _, _, path in defects}))

    def note_time(self, opened):
        value = opened.selection.read(self.job.timestamp, "") if self.job.timestamp else None
        if value is None or (value.kind == "string" and value.text == ""):
            return None
        if value.marks or value.kind in ("list", "mixed"):
            raise Ambiguous("lone surrogate, NUL or a list in identity.timestamp")
        if value.kind == "number":
            opened.time = micros_of_number(value.text)
        elif value.kind == "string":
            opened.time = micros_of_text(value.text)
        if opened.time is None and READINGS["bad_dedup_time"] == "fail":
            return ("failed", "bad_timestamp", self.spellings({value.path.text}))
        return None

    # --- consent, required, columns

    def close(self, opened, numbers):
        """The outcome of a record whose ids with these numbers go on: ("rows", [cells of each])."""
        job, selection = self.job, opened.selection
        for number, rule in enumerate(job.consent):
            defects = []
            given = rule.given(selection, defects)
            if defects:
                return self.compared(defects)
            if not given:
                return ("skipped", "consent", number)
        read = []
        for column in job.columns:
            value = None
            for path in column.paths:
                value = selection.read(path, job.separator)
                if value is not None:
                    break
            read.append(value)
        for column, value in zip(job.columns, read):
            if column.required and not self.has_value(column, value):
                return ("skipped", "required")
        defects = []  # (first position, last position, code, path text)
        heads = [self.id_cells(opened.ids[number], defects) for number in numbers]
        cells = [self.column_cell(column, value, defects) for column, value in zip(job.columns, read)]
        if defects:
            defects.sort(key=lambda d: d[0])
            start, end, code, _ = defects[0]
            for other in defects[1:]:
                if other[0] <= end and other[2] != code:
                    raise Ambiguous("two value defects at one place")
            return ("failed", code, self.spellings({d[3] for d in defects if d[0] <= end}))
        return ("rows", [head + cells for head in heads])

    def id_cells(self, value, defects):
        if value is None:
            return []
        cell = self.text_cell(value, value.text, value.kind == "string", defects)
        if cell.text == "":
            raise Ambiguous("identity empty once NULs are dropped")
        return [cell]

    def has_value(self, column, value):
        if column.constant is not None:
            return column.constant != ""
        if value is None:
            return column.default is not None and column.default != ""
        if value.text == "" or ("trim" in column.transform and value.text.strip(" \t\r\n") == ""):
            return False  # what would be written is empty
        if self.job.null_drop and value.text.replace("\0", "") == "":
            raise Ambiguous("required and empty once NULs are dropped")
        return True

    def marks(self, value, defects):
        for position, code in value.marks:
            if code == "lone_surrogate" or not self.job.null_drop:
                defects.append((position, position, code, value.path.text))
        return any(code == "lone_surrogate" for _, code in value.marks)

    def column_cell(self, column, value, defects):
        if column.constant is not None:
            return Cell(column.constant)
        if value is None:
            return Cell(column.default) if column.default is not None else Cell(self.job.null, True)
        if column.type is not None:
            return self.time_cell(column, value, defects)
        if self.marks(value, defects):
            return Cell("")
        text = transformed(value.text, column.transform, value.kind in ("string", "list"))
        if text is None:
            return Cell(self.job.null, True)
        return changed(self.job, text, value.kind not in ("number", "true", "false"))

    def time_cell(self, column, value, defects):
        if value.marks:
            raise Ambiguous("lone surrogate or NUL in a time")
        if value.kind == "number":
            seconds = seconds_of_number(value.text)
        else:
            text = transformed(value.text, column.transform, value.kind in ("string", "list"))
            if text is None or text == "":
                return Cell(self.job.null, True)
            seconds = seconds_of_text(text) if value.kind in ("string", "list") else None
        if seconds is None:
            defects.append((value.start, value.end, "bad_timestamp", value.path.text))
            return Cell("")
        return Cell(time_text(seconds, column.type == "date"))

    def text_cell(self, value, text, is_text, defects):
        if self.marks(value, defects):
            return Cell("x")
        return changed(self.job, text, is_text)

    # --- rows

    def quoted(self, cell):
        text = cell.text
        job = self.job
        needs = job.quote_all or any(c in text for c in (job.delimiter, '"', "\r", "\n"))
        needs = needs or (not cell.null and job.null != "" and text == job.null)
        return '"' + text.replace('"', '""') + '"' if needs else text

    def line(self, cells):
        row = self.job.delimiter.join(self.quoted(c) for c in cells)
        if len(cells) == 1 and row == "":
            row = '""'
        return (row + self.job.line_end).encode("utf-8")

    def header_line(self):
        names = [self.job.identity_column] if self.job.identity_column is not None else []
        return self.line([Cell(n) for n in names + [c.name for c in self.job.columns]])
