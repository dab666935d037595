#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Large run logs are read line by line: right counts, and memory for what is kept of each trial.

PLECTL_TEST_FULL=1: 100,000 trials within 200 MB, and a log above 1 GiB with records of 64 vCPUs is
reported, exported and resumed. PLECTL_LARGE_LOG_GIB (default 1.1) is its size.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
PLECTL = os.environ["PLECTL"]
FULL = os.environ.get("PLECTL_TEST_FULL") == "1"
LARGE_BYTES = float(os.environ.get("PLECTL_LARGE_LOG_GIB", "1.1")) * (1 << 30)
TRIAL_BYTES_MAX = 3000  # of memory, of each trial of a report


class LargeLog(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def make(self, trials, **options):
        path = self.folder / f"{trials}.jsonl"
        words = [f"--{name}={value}" for name, value in options.items()]
        subprocess.run([sys.executable, SOURCE / "bench/make_run_log", path, f"--trials={trials}",
                        *words], check=True)
        return path

    def run_plectl(self, *arguments, code=0):
        """The output and the peak memory in bytes."""
        out = self.folder / "out"
        start_s = time.monotonic()
        with open(out, "w", encoding="utf-8") as stdout:
            child = subprocess.Popen([PLECTL, *arguments],  # pylint: disable=consider-using-with
                                     stdout=stdout)
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, code, arguments)
        print(f"{arguments[0]}: {time.monotonic() - start_s:.2f} s, CPU "
              f"{usage.ru_utime + usage.ru_stime:.2f} s, {usage.ru_maxrss / 1024:.0f} MB")
        return out.read_text(encoding="utf-8"), usage.ru_maxrss * 1024

    def report(self, path, trials):
        text, peak = self.run_plectl("report", path, "--format", "json")
        report = json.loads(text)
        self.assertEqual(report["trials_valid"], trials)
        self.assertTrue(report["complete"])
        self.assertEqual(sum(group["trials"] for group in report["groups"]), trials)
        self.assertEqual(len(report["groups"]), 252)
        return peak

    def test_memory_grows_with_what_is_kept(self):
        few, many = 1000, 6000
        few_peak = self.report(self.make(few), few)
        many_peak = self.report(self.make(many), many)
        self.assertLess(many_peak - few_peak, (many - few) * TRIAL_BYTES_MAX + (24 << 20))

    def test_a_record_of_64_vcpus_is_exported(self):
        path = self.make(40, vcpus=64, track=500, points=20)
        self.assertGreater(path.stat().st_size, 10 << 20)
        text, peak = self.run_plectl("export", path, "--format", "gbench")
        self.assertEqual(json.loads(text)["context"]["trials_exported"], 40)
        self.assertLess(peak, 400 << 20)

    @unittest.skipUnless(FULL, "the whole size is for --full")
    def test_100000_trials_are_reported_within_200_mb(self):
        self.assertLess(self.report(self.make(100_000, track=11), 100_000), 200 << 20)

    @unittest.skipUnless(FULL, "the whole size is for --full")
    def test_a_log_above_1_gib(self):
        bytes_each = self.make(2, vcpus=64, track=500, points=1).stat().st_size / 2
        trials = int(LARGE_BYTES / bytes_each)
        path = self.make(trials, vcpus=64, track=500, points=20)
        self.assertGreater(path.stat().st_size, 1 << 30)
        text, _ = self.run_plectl("report", path, "--format", "json")
        self.assertEqual(json.loads(text)["trials_valid"], trials)
        text, _ = self.run_plectl("export", path, "--format", "gbench")
        self.assertEqual(json.loads(text)["context"]["trials_exported"], trials)
        # A resumed sweep reads it too: here as far as that it is of another plan.
        run = self.folder / "run"
        run.mkdir()
        path.rename(run / "run.jsonl")
        self.run_plectl("sweep", SOURCE / "bench/plans/quickstart.yaml", "--out", run, "--dry-run",
                        code=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
