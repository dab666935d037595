#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plectl selftest: every assumption about a CPU that can be tried in the lab holds there, on each kernel and
CPU profile; what cannot be tried says why; the JSON has all that a report of a fault needs."""

import json

import lab_harness

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
        self.assertIn("distance 3.00, first ple_gap 3", checks["gap_cliff of wait_loop"]["measured"])
        self.assertEqual(len(report["trials"]), 3)
        for trial in report["trials"]:
            self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])
            self.assertEqual(trial["exits_total"], trial["kvm_exits_total"])
        self.assertEqual(len(report["controls"]), 3)
        self.assertEqual(report["host"]["lab"]["engine"][:5], "bochs")

    if lab_harness.FULL:
        def test_a_dear_pause(self):
            _, checks = self.check_passes("--lab-cpu", "skylake-client")
            self.assertIn("distance 142.00, first ple_gap 142",
                          checks["gap_cliff of wait_loop"]["measured"])

        def test_newer_kernel(self):
            self.check_passes("--lab-kernel", "backports")

        def test_without_the_threshold_it_is_inconclusive(self):
            for cpu in ("amd", "zen4"):
                report, checks = self.selftest("--lab-cpu", cpu, exit_code=5)
                self.assertEqual(report["verdict"], "inconclusive")
                self.assertIn("PFTHRESHOLD", checks["gap_cliff of wait_loop"]["because"])
                self.assertEqual(checks["restored"]["outcome"], "passed")
                self.assertEqual(checks["witnesses"]["outcome"], "passed")


if __name__ == "__main__":
    lab_harness.main()
