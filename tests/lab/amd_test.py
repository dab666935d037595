#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same commands on the AMD lab CPU: kvm_amd is reloaded for every point and read back; without
PFTHRESHOLD the kernel leaves the filter off, and plectl says so."""

import lab_harness

PLAN = """
name: amd
seed: 1
arms: [pause, nop]
params: {pause_filter_count: [100, 1000, 3000]}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 500}
"""


class Amd(lab_harness.LabTest):
    def test_swept_counts_are_read_back_and_zero_exits_have_their_reason(self):
        trials = self.sweep_in_lab(PLAN, "--lab-cpu", "amd")
        self.assertEqual({trial["params"]["pause_filter_count"] for trial in trials},
                         {100, 1000, 3000})
        self.assertEqual(len(trials), 6)
        for trial in trials:
            self.assertEqual(trial["pause_exits"], 0)
            self.assertEqual(trial["params"]["pause_filter_thresh"], 0)
            self.assertRegex(trial["ple_off_because"], "(?i)threshold")
            self.assertGreater(sum(trial["exits"].values()), 0)
            self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
        report = self.plectl("report", "out").stdout
        self.assertRegex(report, "(?i)threshold")


if __name__ == "__main__":
    lab_harness.main()
