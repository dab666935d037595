#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a benchmark program as short as can be and checks what it writes and how it ends.

Usage: bench_test.py PROGRAM_PATH. What it measures is not judged: this machine may do anything else
meanwhile. guest_spinlock must say in one sentence what is missing where it cannot run.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
QUICK = "--benchmark_min_time=0.0001"
BAD_INPUT, ENVIRONMENT = 2, 3


class BenchTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="plectl-bench-test-")
        self.addCleanup(directory.cleanup)
        self.out = pathlib.Path(directory.name) / "out.json"

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], text=True, capture_output=True, timeout=100,
                              stdin=subprocess.DEVNULL)

    def measure(self, *arguments):
        """Returns the exit code and what --benchmark_out holds, checked as its readers need it."""
        done = self.run_program(QUICK, f"--benchmark_out={self.out}",
                                "--benchmark_out_format=json", *arguments)
        results = json.loads(self.out.read_text())
        self.assertIn("plectl_version", results["context"])
        entries = results["benchmarks"]
        self.assertTrue(entries, done.stderr)
        keys = [(entry["name"], entry.get("repetition_index")) for entry in entries]
        self.assertEqual(len(keys), len(set(keys)), "a name stands twice")
        for entry in entries:
            self.assertTrue(entry["run_name"].startswith(tuple(NAMES[PROGRAM.name])), entry)
            if not entry.get("error_occurred") and "big_o" not in entry and "rms" not in entry:
                self.assertGreater(entry["real_time"], 0, entry)
                self.assertGreater(entry["iterations"], 0, entry)
                self.assertIn(entry["time_unit"], ("ns", "us", "ms", "s"))
        return done.returncode, results

    def assert_measured(self, exit_code, results):
        self.assertEqual(exit_code, 0)
        self.assertFalse([entry for entry in results["benchmarks"] if entry.get("error_occurred")])

    def test_wrong_flags_are_bad_input(self):
        for flag in ("--no_such_flag=1", "positional"):
            done = self.run_program(flag)
            self.assertEqual(done.returncode, BAD_INPUT, flag)
            self.assertIn(flag, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_filter_that_matches_nothing_is_bad_input(self):
        self.assertEqual(self.run_program("--benchmark_filter=no_such").returncode, BAD_INPUT)

    def test_help_and_list_measure_nothing(self):
        done = self.run_program("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--benchmark_filter", done.stdout + done.stderr)
        listed = self.run_program("--benchmark_list_tests")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for line in listed.stdout.splitlines():
            self.assertTrue(line.startswith(tuple(NAMES[PROGRAM.name])), line)


class GuestSpinlock(BenchTest):
    FILTER = "--benchmark_filter=/(ttas|pause_loop)/.*/vcpus:2/"

    def test_measures_or_says_what_is_missing(self):
        exit_code, results = self.measure(self.FILTER)
        names = [entry["name"] for entry in results["benchmarks"]]
        self.assertIn("guest_spinlock/ttas/pause/vcpus:2/manual_time", names)
        self.assertIn("guest_spinlock/pause_loop/nop/vcpus:2/manual_time", names)
        if exit_code == 0:
            return self.assert_measured(exit_code, results)
        self.assertEqual(exit_code, ENVIRONMENT)
        reasons = {entry["error_message"] for entry in results["benchmarks"]}
        self.assertEqual(len(reasons), 1, "one reason for all")
        print("not measured:", *reasons)

    def test_every_payload_has_both_arms(self):
        listed = self.run_program("--benchmark_list_tests").stdout.splitlines()
        arms = {}
        for line in listed:
            _, payload, arm, *_ = line.split("/")
            arms.setdefault(payload, set()).add(arm)
        self.assertGreaterEqual(set(arms), {"token_ring", "ttas", "ticket", "pause_storm"})
        for payload, has in arms.items():
            self.assertGreaterEqual(has, {"pause", "nop"}, payload)

    def test_numbers_are_checked(self):
        for flag, message in (("--guest_vcpus=0", '"0" is no number from 1 to 64'),
                              ("--guest_vcpus=2,", '"" is no number'),
                              ("--guest_iterations", "no value"),
                              ("--guest_hold_tsc_cycles=-1", '"-1" is no number')):
            done = self.run_program(flag)
            self.assertEqual(done.returncode, BAD_INPUT, flag)
            self.assertIn(message, done.stderr)

    def test_help_names_its_own_flags(self):
        self.assertIn("--guest_vcpus=1,2,4", self.run_program("--help").stdout)


class UserSpinlock(BenchTest):
    TINY = ("--user_iterations=3", "--user_hold_tsc_cycles=10", "--user_workers=2")

    def test_locks_and_relax_instructions(self):
        exit_code, results = self.measure(*self.TINY, "--user_cpus=1")
        self.assert_measured(exit_code, results)
        self.assertEqual(len(results["benchmarks"]), 9)
        self.assertIn("CPL 3", results["context"]["ring_3"])
        for entry in results["benchmarks"]:
            self.assertGreater(entry["throughput_per_s"], 0, entry)
            self.assertGreaterEqual(entry["spins_per_acquisition"], 0, entry)
            self.assertTrue(0 < entry["fairness_jain"] <= 1.0001, entry)

    def test_what_has_too_few_cpus_says_so(self):
        exit_code, results = self.measure("--user_workers=1024", "--user_cpus=1024",
                                          "--benchmark_filter=tas/nop")
        if exit_code == 0:
            self.skipTest("this machine has 1024 CPUs")
        self.assertEqual(exit_code, ENVIRONMENT)
        self.assertIn("CPUs are allowed", results["benchmarks"][0]["error_message"])

    def test_repetitions_and_aggregates(self):
        exit_code, results = self.measure(*self.TINY, "--user_cpus=1", "--benchmark_repetitions=3",
                                          "--benchmark_filter=/ttas/pause")
        self.assert_measured(exit_code, results)
        aggregates = [entry.get("aggregate_name") for entry in results["benchmarks"]]
        self.assertEqual(aggregates, [None] * 3 + ["mean", "median", "stddev", "cv"])


class RelaxCost(BenchTest):
    def test_rows_of_1_to_64(self):
        exit_code, results = self.measure("--benchmark_filter=/(pause|nop)/")
        self.assert_measured(exit_code, results)
        self.assertEqual(len(results["benchmarks"]), 14)
        for entry in results["benchmarks"]:
            self.assertGreater(entry["tsc_cycles_each"], 0, entry)

    def test_tpause_is_measured_or_said_to_be_missing(self):
        exit_code, results = self.measure("--benchmark_filter=tpause")
        if exit_code == 0:
            return self.assert_measured(exit_code, results)
        self.assertEqual(exit_code, ENVIRONMENT, "nothing was measured")
        self.assertIn("WAITPKG", results["benchmarks"][0]["error_message"])


class PlectlInternals(BenchTest):
    def test_parts_and_how_they_grow(self):
        exit_code, results = self.measure("--benchmark_filter=-/4096")
        self.assert_measured(exit_code, results)
        names = {entry["run_name"].split("/")[0] for entry in results["benchmarks"]}
        self.assertEqual(names, set(NAMES["plectl_internals"]))
        grown = {entry["run_name"].split("/")[0] for entry in results["benchmarks"]
                 if entry.get("aggregate_name") == "BigO"}
        self.assertEqual(grown, names - {"payload_parse"})

    def test_a_directory_that_cannot_be_written_is_named(self):
        done = self.run_program("--internals_directory=/proc/nowhere")
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertIn("/proc/nowhere", done.stderr)
        self.assertEqual(done.stdout, "")


NAMES = {
    "guest_spinlock": ("guest_spinlock",),
    "user_spinlock": ("user_spinlock",),
    "relax_cost": ("relax_cost",),
    "plectl_internals": ("run_log_append", "run_log_load", "schedule", "summarize", "plan_parse",
                         "elf_parse", "payload_parse"),
}
CASES = {"guest_spinlock": GuestSpinlock, "user_spinlock": UserSpinlock, "relax_cost": RelaxCost,
         "plectl_internals": PlectlInternals}

if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(CASES[PROGRAM.name])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
