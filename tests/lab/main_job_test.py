#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job: a sweep in the lab with the real kvm_intel, PAUSE against nop, PLE on and off."""

import lab_harness

PLAN = """
name: main-job
seed: 11
blocks: 1
arms: [pause, nop]
params: {ple_gap: [0, 128]}
workloads:
  - {payload: ttas, vcpus: [2, 4], cpus: [0], hold_tsc_cycles: 2000, iterations: 2000}
  - {payload: ticket, vcpus: [2, 4], cpus: [0], hold_tsc_cycles: 40000, iterations: 50}
  - {payload: token_ring, vcpus: [2, 4], cpus: [0], hold_tsc_cycles: 2000, iterations: 40}
"""


class MainJob(lab_harness.LabTest):
    def test_pause_arm_exits_nop_arm_and_gap_0_do_not_and_it_repeats(self):
        self.occupy_display_port()
        first = self.sweep_in_lab(PLAN, "--check-observer", "every-trial", out="first")
        self.assertEqual(len(first), 24)
        for trial in first:
            with self.subTest(arm=trial["arm"], **trial["workload"], **trial["params"]):
                self.check_trial(trial)
        if lab_harness.FULL:  # repeat_test.py does this with a smaller plan
            second = self.sweep_in_lab(PLAN, "--check-observer", "every-trial", out="second")
            self.assertEqual(lab_harness.counts_of(first), lab_harness.counts_of(second))

    def check_trial(self, trial):
        fires = trial["arm"] == "pause" and trial["params"]["ple_gap"] == 128
        if fires:
            self.assertGreater(trial["pause_exits"], 0)
            self.assertEqual(trial["exits"]["PAUSE_INSTRUCTION"], trial["pause_exits"])
        else:
            self.assertEqual(trial["pause_exits"], 0)
            self.assertNotIn("PAUSE_INSTRUCTION", trial["exits"])
        if trial["params"]["ple_gap"] == 0:
            self.assertIn("ple_gap", trial["ple_off_because"])
        self.assertEqual(trial["pause_exits_check"], trial["pause_exits"])
        self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
        self.assertGreater(trial["throughput_per_s"], 0)
        for vcpu in trial["vcpus"]:
            self.assertEqual(vcpu["acquisitions"], trial["workload"]["iterations"])


if __name__ == "__main__":
    lab_harness.main()
