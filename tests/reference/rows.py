"""One record to what becomes of it: a row, or why there is none."""
import re

from .check import Check
from .json_walk import NUMBER, Defects, Record, valid_utf8
from .readings import READINGS, Ambiguous
from .selection import Selection
from .times import seconds_of_number, seconds_of_text, time_text
from .values import Cell, transformed


class Converter:
    def __init__(self, job):
        self.job = job
        self.all_paths = [(p, 0, True) for p in job.identity_paths]
        self.all_paths += [(p, 0, False) for c in job.columns for p in c.paths]

    def spellings(self, texts):
        """All paths of the job that select the same as one of these: a reject line may name any of them."""
        paths = [path for path, _, _ in self.all_paths]
        parts = [path.parts for path in paths if path.text in texts]
        return {path.text for path in paths if path.parts in parts}

    # --- one record: ("failed", code, paths) | ("skipped", reason) | ("row", cells, changes); and duplicates (low, high)

    def record(self, raw, line_length):
        if len(raw) > self.job.max_record:
            if not valid_utf8(raw):
                raise Ambiguous("too large and not UTF-8")
            return ("failed", "too_large", {""}), (False, False)
        if line_length > self.job.max_record:
            raise Ambiguous("too large only with its blanks")
        if not valid_utf8(raw):
            return ("failed", "utf8", {""}), (False, False)
        outcomes = {}
        high = False
        for unclosed in [READINGS["unclosed"]] if READINGS["unclosed"] else ["end", "open"]:
            for enter in [READINGS["enter"]] if READINGS["enter"] else ["needed", "reached"]:
                code, duplicates = self.parse_code(raw, unclosed, enter)
                outcomes[(unclosed, enter)] = code
                high |= duplicates
        if len(set(outcomes.values())) > 1:
            raise Ambiguous("parse defect: " + " or ".join(sorted(str(c) for c in set(outcomes.values()))))
        code = next(iter(outcomes.values()))
        if code is not None:
            return ("failed", code, {""}), (False, high)
        record = Record(raw, self.job.max_depth, "end")
        check = Check(record)
        result = self.row(Selection(record, check))
        return result, (check.duplicates and result[0] == "row", high or check.duplicates)

    def parse_code(self, raw, unclosed, enter):
        if raw[:1] != b"{":
            return self.root_code(raw), False
        record = Record(raw, self.job.max_depth, unclosed)
        check = Check(record)
        if enter == "reached":
            check.reach(record.root, self.all_paths)
            check.enter(record.root)
        else:
            check.enter(record.root)
            selection = Selection(record, check)
            try:
                selection.look_at_all(self.job)
                self.row(selection)
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

    def row(self, selection):
        job = self.job
        if job.identity_column is not None:
            identity = selection.identity(job)
            if identity is None:
                if job.missing == "skip":
                    return ("skipped", "identity")
                return ("failed", "missing_identity", {""} | {p.text for p in job.identity_paths})
            early = []
            self.text_cell(identity, identity.text, True, early)
            if early and READINGS["identity_value"] == "identity":
                early.sort(key=lambda d: d[0])
                return ("failed", early[0][2], self.spellings({identity.path.text}))
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
        cells = []
        if job.identity_column is not None:
            cells.append(self.text_cell(identity, identity.text, identity.kind == "string", defects))
            if cells[-1].text == "":
                raise Ambiguous("identity empty once NULs are dropped")
        for column, value in zip(job.columns, read):
            cells.append(self.column_cell(column, value, defects))
        if defects:
            defects.sort(key=lambda d: d[0])
            start, end, code, _ = defects[0]
            for other in defects[1:]:
                if other[0] <= end and other[2] != code:
                    raise Ambiguous("two value defects at one place")
            return ("failed", code, self.spellings({d[3] for d in defects if d[0] <= end}))
        return ("row", cells)

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
        return self.changed(text, value.kind not in ("number", "true", "false"))

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
        return self.changed(text, is_text)

    def changed(self, text, is_text):
        changes = []
        if self.job.null_drop and "\0" in text:
            text = text.replace("\0", "")
            changes.append("null_character")
        if self.job.newline_space and ("\n" in text or "\r" in text):
            text = re.sub("\r\n|\r|\n", " ", text)
            changes.append("newline")
        if self.job.formula and is_text and text[:1] in ("=", "+", "-", "@", "\t", "\r") and text:
            text = "'" + text
            changes.append("formula")
        return Cell(text, False, changes)

    # --- rows

    def quoted(self, cell):
        text = cell.text
        job = self.job
        needs = job.quote_all or any(c in text for c in (job.delimiter, '"', "\r", "\n"))
        needs = needs or (not cell.null and job.null != "" and text == job.null)
        return '"' + text.replace('"', '""') + '"' if needs else text

    def line(self, cells):
        row = job_join(self.job.delimiter, [self.quoted(c) for c in cells])
        if len(cells) == 1 and row == "":
            row = '""'
        return (row + self.job.line_end).encode("utf-8")

    def header_line(self):
        names = [self.job.identity_column] if self.job.identity_column is not None else []
        return self.line([Cell(n) for n in names + [c.name for c in self.job.columns]])


def job_join(delimiter, cells):
    return delimiter.join(cells)
