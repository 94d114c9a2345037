"""A job file as values, defaults filled in."""
import re
from fractions import Fraction

from .audience import ConsentRule, Segments
from .paths import BARE_PATH, Path


class Column:
    def __init__(self, spec):
        if "name" not in spec and not BARE_PATH.fullmatch(spec["path"]):
            raise ValueError(f"no reading of the header for {spec['path']}")
        self.name = spec["name"] if "name" in spec else spec["path"].removeprefix("$.").replace(".", "_")
        self.paths = [Path(spec["path"])] if "path" in spec else []
        self.paths += [Path(p) for p in spec.get("fallback", [])]
        self.default = spec.get("default")
        self.constant = spec.get("constant")
        self.required = spec.get("required", False)
        self.type = spec.get("type")
        self.transform = spec.get("transform", [])


class Pega:
    def __init__(self, spec):
        self.process_type = spec.get("process_type", "CustomerDataIngestion")
        self.manifest = spec.get("manifest", "{name}_{run_time}.xml")
        self.path_prefix = spec.get("path_prefix", "")
        token = spec.get("token", {})
        self.token_suffix = token.get("suffix", ".TOK")
        self.token_per = token.get("per", "manifest")
        self.token_replaces = token.get("replace_extension", False)


class Job:
    """The keys of this version, defaults filled in. Unknown keys are an error of the test, not a case."""

    KEYS = {"name", "description", "source", "destination", "files", "csv", "identity", "segments", "columns", "consent",
            "pega", "rejects"}

    def __init__(self, spec):
        unknown = set(spec) - self.KEYS
        if unknown:
            raise ValueError(f"keys the reference does not know: {unknown}")
        self.name = spec["name"]
        source = spec.get("source", {})
        self.max_record = size_of(source.get("max_record", 16 << 20))
        self.max_depth = int(source.get("max_depth", 1024))
        files = spec.get("files", {})
        self.file_name = files.get("name", "{name}_{run_time}_{part}.csv")
        self.count = int(files["count"]) if files.get("count") is not None else None
        self.max_rows = int(files.get("max_rows", 5000000)) if self.count is None else None
        self.max_bytes = size_of(files["max_bytes"]) if files.get("max_bytes") is not None else None
        self.compression = files.get("compression", "none")
        self.empty_header = files.get("empty", "none") == "header"
        csv = spec.get("csv", {})
        pega = csv.get("dialect", "rfc4180") == "pega"
        self.delimiter = csv.get("delimiter", ",")
        self.quote_all = csv.get("quote", "necessary") == "all"
        self.header = csv.get("header", "every")
        self.line_end = "\r\n" if csv.get("line_end", "lf") == "crlf" else "\n"
        self.null = csv.get("null", "")
        self.newline_space = csv.get("newline_in_value", "space" if pega else "keep") == "space"
        self.null_drop = csv.get("null_character", "drop" if pega else "reject") == "drop"
        self.separator = csv.get("list_separator", "|")
        self.formula = csv.get("formula_escape", False)
        identity = spec.get("identity")
        self.identity_column = identity["column"] if identity else None
        self.identity_paths = [Path(p) for p in identity["paths"]] if identity else []
        self.multiple = identity.get("multiple", "primary") if identity else None
        self.missing = identity.get("missing", "reject") if identity else None
        self.deduplicate = identity is not None and identity.get("deduplicate", "none") == "latest"
        timestamp = (identity or {}).get("timestamp")
        self.timestamp = Path(timestamp) if self.deduplicate and timestamp else None  # None: the later record stays
        self.segments = Segments(spec["segments"]) if "segments" in spec else None
        self.consent = [ConsentRule(rule) for rule in spec.get("consent", {}).get("require", [])]
        self.pega = Pega(spec["pega"]) if "pega" in spec else None
        self.columns = [Column(c) for c in spec.get("columns", [])]
        rejects = spec.get("rejects", {})
        self.budget = str(rejects.get("max", 0))


UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20,
         "GiB": 2**30, "TiB": 2**40, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def size_of(value):
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)", str(value))
    return int(Fraction(found.group(1)) * UNITS[found.group(2)])
