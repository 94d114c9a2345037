#!/usr/bin/env python3
"""The benchmarks' own checks: outputs that are wrong are found, inputs are cut and packed whole, the README's tables and
charts are made. Nothing is timed.

    bench_checks.py BUILD_FOLDER
"""
import csv
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock
import xml.dom.minidom

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else os.path.join(ROOT, "build")
sys.path.insert(0, os.path.join(ROOT, "bench"))
import benchlib  # noqa: E402
import peerjobs  # noqa: E402
import places  # noqa: E402
import shapes  # noqa: E402
import svgbars  # noqa: E402

ROWS = 300


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="penstock-checks-")
        cls.folder = cls.scratch.name
        cls.plain = os.path.join(cls.folder, "dump.ndjson")
        subprocess.run([os.path.join(BUILD, "profilegen"), "--rows", str(ROWS), "--seed", "7", "--out", cls.plain],
                       check=True)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def csv(self, rows, header=None, name="out.csv"):
        path = os.path.join(self.folder, name)
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([header or self.checker.names, *rows])
        data = text.getvalue().encode()
        with open(path, "wb") as out:
            out.write(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    def setUp(self):
        self.job = peerjobs.Job("A")
        self.checker = peerjobs.Checker(self.job)
        texts = benchlib.reference_rows(self.plain, self.job.columns)
        next(texts)
        self.texts = list(texts)
        self.want = self.checker.reference(self.plain)

    def test_claims(self):
        """Each of the shards is claimed and handed over once, by more threads than there are shards, or fewer."""
        program = os.path.join(BUILD, "bench", "bench_claims")
        job = os.path.join(ROOT, "bench", "job_a.yaml")
        for shards in ("1", "1000"):
            run = subprocess.run([program, "--shards", shards, "--rounds", "2", "--job", job], capture_output=True,
                                 text=True, check=True)
            environment, result = map(json.loads, run.stdout.splitlines())
            self.assertEqual(environment["environment"]["benchmark"], "bench_claims")
            self.assertEqual((result["items"], result["threads"], result["repetitions"]), (int(shards), 192, 2))
            self.assertTrue(result["verified"] and result["correct"])
        bad = subprocess.run([program, "--shards", "0"], capture_output=True, check=False)
        self.assertEqual(bad.returncode, 1)
        self.assertIn(b"allowed is a number from 1", bad.stderr)

    def wrong(self, rows, ordered=True, header=None):
        with self.assertRaises(benchlib.Wrong) as caught:
            self.checker.check(self.csv(rows, header), self.want, ordered)
        return str(caught.exception)

    def test_right_rows_pass(self):
        self.checker.check(self.csv(self.texts), self.want, True)
        self.checker.check(self.csv(self.texts, name="out.csv.gz"), self.want, True)

    def test_numbers_count_by_value(self):
        worth = self.checker.names.index("LifetimeValue")
        other = [row[:worth] + [row[worth] + "0" if "." in row[worth] else row[worth]] + row[worth + 1:]
                 for row in self.texts]
        self.assertNotEqual(other, self.texts)
        self.checker.check(self.csv(other), self.want, True)

    def test_texts_count_as_they_are(self):
        postal = self.checker.names.index("PostalCode")
        other = [list(row) for row in self.texts]
        other[100][postal] += "0"
        self.assertIn("row 101", self.wrong(other, ordered=False))

    def test_a_number_that_differs_in_its_last_digit(self):
        score = self.checker.names.index("ChurnScore")
        at = next(i for i, row in enumerate(self.texts) if row[score])
        other = [list(row) for row in self.texts]
        other[at][score] += "1"
        self.wrong(other, ordered=False)

    def test_rows_missing_or_twice(self):
        self.wrong(self.texts[:-1], ordered=False)
        self.wrong(self.texts + self.texts[-1:], ordered=False)
        self.wrong(self.texts[:-1] + self.texts[:1], ordered=False)

    def test_order_matters_where_it_is_kept(self):
        swapped = self.texts[1::-1] + self.texts[2:]
        self.assertIn("out of order", self.wrong(swapped))
        self.checker.check(self.csv(swapped), self.want, False)
        found, other = (self.checker.digest(self.csv(rows)) for rows in (self.texts, swapped))
        self.assertFalse(peerjobs.same_rows(other, found, True))
        self.assertTrue(peerjobs.same_rows(other, found, False))

    def test_header_and_fields(self):
        self.assertIn("header", self.wrong(self.texts, header=self.checker.names[::-1]))
        self.assertIn("fields", self.wrong(self.texts + [["a", "b"]]))

    def test_digest_of_other_rows_differs(self):
        found = self.checker.digest(self.csv(self.texts))
        other = self.checker.digest(self.csv(self.texts[:-1] + [["x"] + self.texts[-1][1:]]))
        self.assertFalse(peerjobs.same_rows(other, found, False))

    def test_members_only(self):
        want = peerjobs.Checker(peerjobs.Job("B")).reference(self.plain)
        self.assertTrue(0 < len(want) < ROWS // 4)
        self.assertTrue(all(row[-2] in ("realized", "existing") for row in want))

    def test_cuts_are_whole_lines(self):
        with open(self.plain, "rb") as dump:
            data = dump.read()
        for parts in (1, 2, 8, 16, 2 * ROWS):
            cuts = peerjobs.cut(self.plain, parts)
            self.assertEqual(b"".join(data[a:b] for a, b in cuts), data)
            self.assertTrue(all(data[b - 1:b] == b"\n" for _, b in cuts))

    def test_packed_inputs_are_the_dump(self):
        with open(self.plain, "rb") as dump:
            data = dump.read()
        for name in ("C", "D", "D16"):
            job = peerjobs.Job(name)
            made = peerjobs.Input(self.plain, ROWS, job, os.path.join(self.folder, name))
            tool = {"gz": "gzip", "zst": "zstd"}[job.packing]
            for files in (made.sources, made.halves):
                unpacked = subprocess.run([tool, "-dcq", *files], stdout=subprocess.PIPE, check=True).stdout
                self.assertEqual(unpacked, data)
            self.assertEqual(len(made.sources), job.files)

    def test_shapes_hold_the_records(self):
        with open(self.plain, "rb") as dump:
            records = dump.read().splitlines()[:50] + [b'{"id":"a, {\\"} [","n":[1.50,[],{}],"e":{}}']
        whole = [json.loads(record, parse_float=str) for record in records] * 2
        path = os.path.join(self.folder, "shape")
        shapes.write_array(path, records, 2)
        with open(path, "rb") as file:
            text = file.read()
        self.assertEqual(json.loads(text, parse_float=str), whole)
        self.assertNotIn(b"\n", text)
        shapes.write_repeated(path, records, 2)
        with open(path, "rb") as file:
            self.assertEqual([json.loads(line, parse_float=str) for line in file], whole)
        shapes.write_pretty(path, records, 2)
        with open(path, encoding="utf-8") as file:
            text, found = file.read(), []
        decoder = json.JSONDecoder(parse_float=str)
        while text:
            value, end = decoder.raw_decode(text)
            found.append(value)
            text = text[end:].lstrip()
        self.assertEqual(found, whole)
        indented = json.dumps(json.loads(records[0]), indent=2, ensure_ascii=False)
        self.assertEqual(shapes.pretty(records[0]).count(b"\n"), indented.count("\n"))

    # ---- places ----

    def chosen(self, memory=100, disk="ext4", free=100, shared=100):
        """Places for 10 bytes of dumps and 4 of outputs: the first letters of what each is on, and the words."""
        kinds, room = {"build": disk, "shm": "tmpfs"}, {"build": free, "shm": shared}
        known = {"TMPFS": "shm", "memory_available": lambda: memory, "file_system": kinds.get, "free": room.get}
        with mock.patch.multiple(places, **known), mock.patch("os.path.isdir", lambda path: path in kinds):
            found = places.choose("build", 10, 4)
        return found.dumps, found.outputs, found.storage

    def test_dumps_are_on_a_disk_and_outputs_are_not(self):
        self.assertEqual(self.chosen(), ("build", "shm", "dumps on ext4 (page cache), outputs on tmpfs"))
        self.assertEqual(self.chosen(memory=28, free=10, shared=8)[:2], ("build", "shm"))

    def test_places_where_there_is_little_room(self):
        beside = ("build", "build", "dumps on ext4 (page cache), outputs on ext4 (no room on tmpfs)")
        for room in ({"memory": 27}, {"shared": 7}, {"shared": 0, "free": 14}):
            self.assertEqual(self.chosen(**room), beside)
        both = ("shm", "shm", "dumps on tmpfs (no room on xfs), outputs on tmpfs")
        self.assertEqual(self.chosen(free=9, disk="xfs"), both)
        self.assertEqual(self.chosen(free=9, disk="xfs", memory=28, shared=28), both)
        self.assertEqual(self.chosen(disk="tmpfs")[2], "dumps on tmpfs (no disk), outputs on tmpfs")

    def test_no_room_is_said(self):
        for words, room in (("memory has no room", {"memory": 19}), ("no room for", {"free": 9, "shared": 27}),
                            ("no room for", {"free": 9, "memory": 27}), ("no room for", {"free": 13, "shared": 7})):
            with self.assertRaises(benchlib.Wrong) as caught:
                self.chosen(**room)
            self.assertIn(words, str(caught.exception))

    def test_file_systems(self):
        """That of the nearest mount, of several there the last one; blanks in its name are escaped."""
        mounts = os.path.join(self.folder, "mountinfo")
        here = os.path.realpath(self.folder)
        with open(mounts, "w", encoding="utf-8") as out:
            out.write("1 0 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"
                      f"2 1 0:20 / {here}/a rw - tmpfs none rw\n"
                      f"3 2 0:21 / {here}/a/b\\040c rw master:1 shared:2 - xfs /dev/sdb rw\n"
                      f"4 1 0:22 / {here}/d rw - btrfs /dev/sdc rw\n5 4 0:23 / {here}/d rw - overlay over rw\n")
        for path, kind in (("", "ext4"), ("a", "tmpfs"), ("a/b", "tmpfs"), ("a/b c/e", "xfs"), ("ab", "ext4"),
                           ("d", "overlay")):
            self.assertEqual(places.file_system(os.path.join(here, path), mounts), kind, path)
        self.assertEqual(places.file_system("/proc/self"), "proc")

    def test_places_leave_nothing(self):
        build = tempfile.mkdtemp(dir=self.folder)
        with self.assertRaises(SystemExit):
            with places.scratch(build, 1, 1) as place:
                self.assertEqual(os.path.dirname(place.dumps), build)
                shutil.copy(self.plain, place.dumps)
                shutil.copy(self.plain, place.outputs)
                raise SystemExit
        self.assertFalse(os.path.exists(place.dumps) or os.path.exists(place.outputs))

    def test_dumps_are_in_page_cache(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        os.makedirs(os.path.join(folder, "below"))
        for name in ("one", "below/other"):
            shutil.copy(self.plain, os.path.join(folder, name))
        open(os.path.join(folder, "empty"), "wb").close()
        self.assertEqual(sorted(places.files_of(folder, self.plain)),
                         sorted([self.plain, os.path.join(folder, "one"), os.path.join(folder, "below", "other")]))
        places.settle(folder, self.plain)
        self.assertGreaterEqual(places.resident(self.plain), os.path.getsize(self.plain))
        with mock.patch.object(places, "resident", lambda path: os.path.getsize(path) // 2):
            with self.assertRaises(benchlib.Wrong):
                places.settle(folder)

    # ---- whole runs, and what they say ----

    def test_bounds(self):
        met, missed = (benchlib.ratio("a / b", 2.5, [("at most", most), ("aim", 1)], [2, 3]) for most in (2.5, 2.4))
        self.assertEqual(met, {"ratio": "a / b", "value": 2.5, "of_rounds": {"min": 2, "max": 3}, "bounds": [
            {"name": "at most", "bound": 2.5, "met": True}, {"name": "aim", "bound": 1, "met": False}]})
        least = benchlib.ratio("a / b", 2.5, [("at least", 2.6)])
        self.assertEqual(least, {"ratio": "a / b", "value": 2.5, "bounds": [
            {"name": "at least", "bound": 2.6, "met": False}]})
        for ratios, gate, status, words in (([met], True, 0, "at most 2.5: met; aim 1: MISSED"),
                                            ([met, missed], True, 1, "at most 2.4: MISSED"),
                                            ([least], True, 1, "at least 2.6: MISSED"), ([least], False, 0, "MISSED"),
                                            ([], True, 1, "no figure that has a bound"), ([], False, 0, "")):
            with mock.patch("sys.stderr", io.StringIO()) as told:
                begun = mock.Mock(seconds=lambda: 1.0)
                self.assertEqual(benchlib.conclude(begun, "lines", ratios, gate), status)
            self.assertIn(words, told.getvalue())

    def test_lines_have_one_form(self):
        """Of all benchmarks: where files were, results by their variant, ratios with bounds."""
        for name, rows, ratios in (("inputs", 400, 8), ("policies", 400, 4), ("compress", 1000, 4)):
            run = self.bench(name, "--rows", str(rows), "--rounds", "1", "--build", BUILD)
            self.assertEqual(run.returncode, 0, run.stderr)
            first, *lines = map(json.loads, run.stdout.splitlines())
            self.assertRegex(first["environment"]["storage"], r"^dumps on \w+ \(.*\), outputs on \w+")
            found = [line for line in lines if "ratio" in line]
            self.assertEqual(len(found), ratios)
            for line in found:
                self.assertIsInstance(line["value"], float)
                for bound in line["bounds"]:
                    self.assertEqual(sorted(bound), ["bound", "met", "name"])
            for line in lines[:-ratios]:
                self.assertEqual(line["bench"], name)
                self.assertEqual(sorted(line["wall_s"]), ["max", "median", "min"])
                self.assertTrue(line["variant"])

    def bench(self, name, *arguments, tree=ROOT, **more):
        return subprocess.run([sys.executable, os.path.join(tree, "bench", name), *arguments], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def told(self, run, words):
        """It failed with a message that has these words, and no traceback."""
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertIn(words, run.stderr)

    def test_what_is_missing_is_named(self):
        empty = os.path.join(self.folder, "no-programs")
        os.makedirs(empty)
        for name, words in (("compress", "gzip, pigz, zstd"), ("inputs", "igzip, zstd"), ("instructions", "valgrind"),
                            ("download", "curl, zstd"), ("peers", "zstd, gzip")):
            self.told(self.bench(name, "--build", BUILD, env={"PATH": empty}), f"not in PATH: {words}")
        nowhere = os.path.join(empty, "nowhere")
        self.told(self.bench("reading", "--build", BUILD, "--folder", nowhere), nowhere)

    def test_signals_leave_nothing(self):
        """Neither the folder of a benchmark that is ended nor a process that it started."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            place = tempfile.mkdtemp(dir=self.folder)
            command = [sys.executable, os.path.join(ROOT, "bench", "reading"), "--build", BUILD, "--folder", place,
                       "--rows", "1000", "--rounds", "100"]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as run:
                while "verified" not in (line := run.stderr.readline()):
                    self.assertNotEqual(line, "", "it ended by itself")
                run.send_signal(number)
                run.stderr.read()
            self.assertEqual(run.returncode, 128 + number)
            self.assertEqual(os.listdir(place), [])
            ours = subprocess.run(["pgrep", "-f", place], stdout=subprocess.PIPE, text=True, check=False)
            self.assertEqual(ours.stdout, "")

    # ---- bench/report ----

    BLOCK = {"benchmark": "bench/run", "date": "2026-01-02T03:04:05Z", "commit": "c0ffee", "cpu": "a CPU",
             "simdjson_kernel": "haswell", "cores_used": 2, "kernel": "Linux", "compiler": "GNU", "flags": "-O3",
             "storage": "dumps on ext4 (page cache), outputs on tmpfs", "repetitions": 5,
             "command": "bench/run --rows 1000 --save", "cpus_in_use_before": 0.1}
    RATIO = {"ratio": "this / that", "value": 2.5, "bounds": [{"name": "at most", "bound": 2.6, "met": True}]}

    def tree(self, section, *lines):
        """What bench/report looks at: a README with this between its marks, results of these lines."""
        tree = tempfile.mkdtemp(dir=self.folder)
        for name in ("report", "benchlib.py", "svgbars.py", "peers.d/jobs.json"):
            os.makedirs(os.path.dirname(os.path.join(tree, "bench", name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, "bench", name), os.path.join(tree, "bench", name))
        with open(os.path.join(tree, "README.md"), "w", encoding="utf-8") as out:
            out.write(f"before\n<!-- bench/report begins -->\n{section}\n<!-- bench/report ends -->\nafter\n")
        os.makedirs(os.path.join(tree, "bench", "results"))
        if lines:
            with open(os.path.join(tree, "bench", "results", "x.jsonl"), "w", encoding="utf-8") as out:
                out.writelines(json.dumps(line) + "\n" for line in lines)
        return tree

    def test_figures_without_results_are_found(self):
        tree = self.tree("1.37 M rows/s")
        self.told(self.bench("report", "--check", tree=tree), "README.md is not that of bench/results/")
        self.assertEqual(self.bench("report", tree=tree).returncode, 0)
        self.assertEqual(self.bench("report", "--check", tree=tree).returncode, 0)
        with open(os.path.join(tree, "README.md"), encoding="utf-8") as text:
            readme = text.read()
        self.assertIn("Not measured", readme)
        self.assertTrue(readme.startswith("before\n") and readme.endswith("\nafter\n"))
        with open(os.path.join(tree, "bench", "results", "peers.svg"), "w", encoding="utf-8") as out:
            out.write("<svg/>")
        self.told(self.bench("report", "--check", tree=tree), "peers.svg is not that of bench/results/")

    def test_the_readme_is_that_of_the_results(self):
        tree = self.tree("", {"environment": self.BLOCK}, self.RATIO)
        self.told(self.bench("report", "--check", tree=tree), "README.md")
        self.assertEqual(self.bench("report", tree=tree).returncode, 0)
        self.assertEqual(self.bench("report", "--check", tree=tree).returncode, 0)
        path = os.path.join(tree, "README.md")
        with open(path, encoding="utf-8") as text:
            readme = text.read()
        self.assertIn("Again: `bench/run --rows 1000 --save`.", readme)
        self.assertIn("| this / that | 2.50 | at most 2.6 |", readme)
        with open(path, "w", encoding="utf-8") as out:
            out.write(readme.replace("2.50", "2.40"))
        self.told(self.bench("report", "--check", tree=tree), "README.md")

    def test_results_that_are_none(self):
        tree = self.tree("")
        path = os.path.join(tree, "lines")
        self.told(self.bench("report", path, tree=tree), "No such file")
        for lines, words in (("commit\tdate\n", "line 1"), ("", "environment block"), ("[1]\n", "line 1"),
                             ('{"environment":{"date":"2026-01-01"}}\n', "no 'benchmark'"),
                             (json.dumps({"environment": {**self.BLOCK, "benchmark": "bench/upload"}}), "bench/upload"),
                             (json.dumps({"environment": self.BLOCK}) + '\n{"bench":"export"}\n', "no 'variant'")):
            with open(path, "w", encoding="utf-8") as out:
                out.write(lines)
            self.told(self.bench("report", path, tree=tree), words)

    def test_charts_are_xml(self):
        bars = [svgbars.Bar("a & <b>", 1.0, "1", "ours"), svgbars.Bar("none", 0.0, "0", "limit")]
        text = svgbars.chart("t", [svgbars.Group("g", bars), svgbars.Group("empty", [])], True)
        self.assertEqual(len(xml.dom.minidom.parseString(text).getElementsByTagName("rect")), 3)


if __name__ == "__main__":
    unittest.main()
