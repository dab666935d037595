#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The third arm takes PAUSE exits from its VMs and from no other; several VMs share the CPU, start
together and are counted apart."""

import lab_harness

PLAN = """
name: arms
seed: 3
deadline_ms: 60000
arms: [pause, nop, pause_exits_disabled]
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
workloads:
  - {payload: pause_loop, vcpus: 1, cpus: 0, iterations: 2000000}
  - {payload: ttas, vms: 3, vcpus: 2, cpus: 0, hold_tsc_cycles: 3000, iterations: 1500}
  - {payload: pause_loop, vms: 16, vcpus: 1, cpus: 0, iterations: 50000}
"""
VCPUS = {1: 1, 3: 6, 16: 16}


class Arms(lab_harness.LabTest):
    def check_trial(self, trial):
        vms = trial["workload"].get("vms", 1)
        self.assertTrue(trial["valid"], trial.get("invalid_because"))
        self.assertEqual(len(trial["vcpus"]), VCPUS[vms])
        self.assertEqual(trial["exits_total"], trial["kvm_exits_total"])
        self.assertEqual(trial["arm"] == "pause_exits_disabled", "ple_off_because" in trial)
        if trial["arm"] != "pause":
            self.assertEqual(trial["pause_exits"], 0)
        for number, vcpu in enumerate(trial["vcpus"]):
            self.assertEqual(vcpu.get("vm"), number * vms // VCPUS[vms] if vms > 1 else None)

    def check_start(self, trial):
        """One time base: all VMs start within the trial, none before the barrier opened."""
        first = min(vcpu["tsc_start"] for vcpu in trial["vcpus"])
        last = max(vcpu["tsc_end"] for vcpu in trial["vcpus"])
        self.assertEqual(last - first, trial["elapsed_tsc_cycles"])
        # Host and guest clocks tick at one rate: the guests took no longer than the host waited.
        self.assertLessEqual(trial["elapsed_tsc_cycles"],
                             trial["timings"]["run_ns"] * trial["tsc_khz"] / 1e6)

    def test_every_arm_with_one_vm_and_several(self):
        trials = self.sweep_in_lab(PLAN)
        self.assertEqual(len(trials), 9)
        for trial in trials:
            self.check_trial(trial)
            self.check_start(trial)
        exits = {(trial["workload"].get("vms", 1), trial["arm"]): trial["pause_exits"]
                 for trial in trials}
        print(exits)
        # N / (floor(window / loop) + 2) of docs/guest.md, and what the timer's ticks cost.
        self.assertAlmostEqual(exits[1, "pause"], 2_000_000 / (4096 // 3 + 2), delta=20)
        self.assertGreater(exits[3, "pause"], 500)
        self.assertAlmostEqual(exits[16, "pause"], 16 * (50_000 // (4096 // 3 + 2)), delta=16)


if __name__ == "__main__":
    lab_harness.main()
