#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two observers agree on every trial, whichever way they count; a broken one is found out."""

import lab_harness

PLAN = """
name: observers
seed: 9
arms: [pause, nop]
params: {ple_gap: 128, ple_window: [1024, 4096], ple_window_grow: [0, 2]}
workloads:
  - {payload: ttas, vcpus: 3, cpus: [0], hold_tsc_cycles: 2000, iterations: 1000}
"""
SCRIPT = """
plectl sweep /job/plan.yaml --out /job/bpf --progress none >&2; echo "exit bpf $?"
plectl sweep /job/plan.yaml --out /job/perf --observer perf --progress none >&2; echo "exit perf $?"
plectl sweep /job/plan.yaml --out /job/broken --break-observer 3 --progress none >/dev/null 2>&1
echo "exit broken $?"
for run in bpf perf broken; do echo "run $run"; cat /job/$run/run.jsonl; done
"""


class Observers(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        cls.runs = {}
        harness = cls("run_script")
        harness.setUp()
        cls.addClassCleanup(harness.doCleanups)
        harness.run_script()

    def run_script(self):
        lines = self.lab_script(SCRIPT, files={"plan.yaml": PLAN}).stdout.splitlines()
        type(self).exits = dict(line.split()[1:] for line in lines if line.startswith("exit "))
        run = None
        for line in lines:
            if line.startswith("run "):
                run = line.split()[1]
                self.runs[run] = []
            elif line.startswith("{"):
                self.runs[run] += lab_harness.trials_of(line)

    def test_both_ways_agree_with_their_check_and_with_kvm(self):
        for run in ("bpf", "perf"):
            self.assertEqual(self.exits[run], "0")
            self.assertEqual(len(self.runs[run]), 8)
            for trial in self.runs[run]:
                with self.subTest(run=run, arm=trial["arm"], **trial["params"]):
                    self.assertTrue(trial["valid"], trial.get("invalid_because"))
                    self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])
                    self.assertEqual(trial["pause_exits"] > 0, trial["arm"] == "pause")

    def test_reasons_add_up_or_are_missing_with_a_reason(self):
        for trial in self.runs["bpf"]:
            self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
        for trial in self.runs["perf"]:
            self.assertIn("missing_because", trial["exits"])

    def test_a_broken_observer_makes_every_pausing_trial_invalid(self):
        self.assertEqual(self.exits["broken"], "5")
        pausing = [trial for trial in self.runs["broken"] if trial["arm"] == "pause"]
        self.assertEqual(len(pausing), 4 * 3)  # each repeated, then given up
        for trial in pausing:
            self.assertFalse(trial["valid"])
            self.assertIn("disagree on the PAUSE exits", trial["invalid_because"])


if __name__ == "__main__":
    lab_harness.main()
