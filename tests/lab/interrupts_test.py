#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spins with interrupts off: the packaged emulator would freeze when nothing ends them, so such plans
are refused before anything starts; with PLE on, or its stand-in for off, they run."""

import time

import lab_harness

RUNS = """
name: runs
arms: [pause]
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 500,
     interrupts_off: [never, locking]}
  - {payload: pause_loop, vcpus: 1, cpus: [0], iterations: 60000, interrupts_off: locking}
"""
# What the refusal recommends: longer than any wait, so hardly an exit, but the spin does end.
STAND_IN = """
name: stand-in
arms: [pause]
params: {ple_window: 4000000, ple_window_max: 4000000, ple_window_grow: 1}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 500,
     interrupts_off: locking}
  - {payload: pause_loop, vcpus: 1, cpus: [0], iterations: 3000000, interrupts_off: locking}
"""
REFUSED = """
name: refused
arms: {arms}
params: {{ple_gap: {gaps}}}
workloads: [{{payload: {payload}, cpus: [0], iterations: 1000, interrupts_off: locking}}]
"""
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")
SECONDS_MAX = 30  # far below a boot on a machine that is as busy


class Interrupts(lab_harness.LabTest):
    def test_spins_that_pause_exits_end_run(self):
        trials = self.sweep_in_lab(RUNS, *PATIENCE, "--check-observer", "every-trial")
        self.assertEqual(len(trials), 3)
        for trial in trials:
            self.check(trial)
        loop = next(trial for trial in trials if trial["workload"]["payload"] == "pause_loop")
        # No timer interrupt opens the loop anew: the closed form is exact.
        self.assertEqual(loop["pause_exits"], 60000 // (4096 // 3 + 2))

    def test_the_stand_in_for_ple_off_runs_and_ends(self):
        trials = self.sweep_in_lab(STAND_IN, *PATIENCE, "--check-observer", "every-trial")
        self.assertEqual(len(trials), 2)
        for trial in trials:
            self.check(trial)
            if trial["workload"]["payload"] == "pause_loop":
                self.assertEqual(trial["pause_exits"], 3000000 // (4000000 // 3 + 2))

    def check(self, trial):
        workload = trial["workload"]
        print(f"{workload['payload']} interrupts_off={workload.get('interrupts_off', 'never')}: "
              f"{trial['pause_exits']} PAUSE exits of {trial['kvm_exits_total']}")
        self.assertTrue(trial["valid"])
        self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])

    def test_endless_spins_are_refused_before_anything_starts(self):
        self.sweep_in_lab(RUNS, *PATIENCE, out="tested")  # the emulator's self-test is done
        for arms, gaps, payload, reason in (
                ("[nop]", "128", "ttas", "in the nop arm"),
                ("[pause, nop]", "128", "pause_loop", "in the nop arm"),
                ("[pause]", "[0, 128]", "ttas", "ple_gap=0"),
                ("[pause]", "2", "ttas", "ple_gap=2")):
            with self.subTest(arms=arms, gaps=gaps, payload=payload):
                self.check_refusal(REFUSED.format(arms=arms, gaps=gaps, payload=payload), reason)

    def check_refusal(self, plan, reason):
        self.write("plan.yaml", plan)
        start_s = time.monotonic()
        done = self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "refused", exit_code=3)
        self.assertLess(time.monotonic() - start_s, SECONDS_MAX)
        self.assertIn("delivers no interrupt to a guest that spins with interrupts off", done.stderr)
        self.assertIn(reason, done.stderr)
        self.assertIn("use arms: [pause] with PLE on", done.stderr)
        self.assertIn("ple_window_max to 4000000 and ple_window_grow to 1", done.stderr)
        self.assertNotIn("the lab is up", done.stderr)
        self.assertFalse((self.directory / "refused" / "run.jsonl").exists())


if __name__ == "__main__":
    lab_harness.main()
