#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plectl selftest: every assumption about a CPU that can be tried in the lab holds there, on each kernel and
CPU profile; what cannot be tried says why; the JSON has all that a report of a fault needs.

PLECTL_TEST_FULL=1: every kernel and profile (PLECTL_TEST_KERNELS="sid debian13": these only)."""

import json
import os

import lab_harness

KERNELS = os.environ.get("PLECTL_TEST_KERNELS", "").split() or [
    "debian12-backports", "debian13", "sid", "debian13-backports"]
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")
MAY_BE_MISSING = {"core_clock", "tsc"}
NAMES = ["tsc", "core_clock", "gap_cliff of pause_loop", "gap_cliff of wait_loop", "witnesses",
         "control ple_fires", "control nop", "control below_window", "contention", "restored"]


class Selftest(lab_harness.LabTest):
    def selftest(self, *options, exit_code=0):
        done = self.plectl("selftest", "--host", "lab", "--format", "json", *options,
                           exit_code=exit_code)
        report = json.loads(done.stdout)
        self.assertEqual(report["kind"], "selftest")
        return report, {check["name"]: check for check in report["checks"]}

    def check_passes(self, *options):
        report, checks = self.selftest(*options)
        self.assertEqual(report["verdict"], "passed")
        self.assertLessEqual(set(NAMES), set(checks))
        self.assertEqual(len([name for name in checks if name.startswith("window ")]), 2)
        for name, check in checks.items():
            with self.subTest(check=check):
                self.assertIn(check["outcome"],
                              ("passed", "missing") if name in MAY_BE_MISSING else ("passed",))
        return report, checks

    def test_all_that_is_assumed_holds_in_the_plain_lab(self):
        report, checks = self.check_passes()
        self.assertRegex(checks["gap_cliff of wait_loop"]["measured"],
                         r"distance 3\.0\d, first ple_gap 3\b")
        self.assertEqual(len(report["trials"]), 3)
        for trial in report["trials"]:
            self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])
            self.assertEqual(trial["exits_total"], trial["kvm_exits_total"])
        self.assertEqual(len(report["controls"]), 3)
        self.assertEqual(report["host"]["lab"]["engine"][:5], "bochs")

    def test_what_had_no_turn_is_not_tried(self):
        report, checks = self.selftest("--deadline-s", "1", exit_code=5)
        self.assertEqual(report["verdict"], "inconclusive")
        self.assertLessEqual(set(NAMES), set(checks))
        self.assertEqual(checks["contention"]["because"], "not tried: out of time")
        self.assertEqual(checks["restored"]["outcome"], "passed")

    if lab_harness.FULL:
        def test_a_dear_pause(self):
            _, checks = self.check_passes("--lab-cpu", "skylake-client")
            self.assertIn("distance 142.00, first ple_gap 142",
                          checks["gap_cliff of wait_loop"]["measured"])

        def test_every_kernel(self):
            for kernel in KERNELS:
                with self.subTest(kernel=kernel):
                    self.check_passes("--lab-kernel", kernel, *PATIENCE)

        def test_without_the_threshold_it_is_inconclusive(self):
            for kernel, cpu in [("debian12", "amd"), *((kernel, "zen4") for kernel in KERNELS)]:
                with self.subTest(kernel=kernel, cpu=cpu):
                    self.check_amd("--lab-kernel", kernel, "--lab-cpu", cpu, *PATIENCE)

    def check_amd(self, *options):
        """The lab's AMD CPUs have no threshold, so that KVM leaves the filter off."""
        report, checks = self.selftest(*options, exit_code=5)
        self.assertEqual(report["verdict"], "inconclusive")
        for name in ("gap_cliff of wait_loop", "window 1000", "window 3000", "control ple_fires"):
            self.assertEqual(checks[name]["outcome"], "missing", name)
            self.assertIn("PFTHRESHOLD", checks[name]["because"])
        for name in ("restored", "witnesses", "contention"):
            self.assertEqual(checks[name]["outcome"], "passed", checks[name])


if __name__ == "__main__":
    lab_harness.main()
