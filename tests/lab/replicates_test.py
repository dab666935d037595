#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plan with lab_seeds: every seed does the whole plan in a lab of its own, seeds differ, each one
repeats itself exactly, and a run goes on with the seeds that are left."""

import json

import lab_harness

SEEDS = [0, 1, 7]
PLAN = f"""
name: replicates
seed: 4
lab_seeds: {SEEDS}
params: {{ple_window: [1024, 4096], ple_window_grow: 0}}
workloads:
  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 2000}}
"""
TRIALS_PER_SEED = 2 * 2  # windows, arms
PATIENCE = ("--lab-boot-deadline-s", "900")  # eight labs on a machine that may be busy


def point_of(trial):
    return json.dumps([trial["block"], trial["arm"], trial["params"], trial["workload"]])


class Replicates(lab_harness.LabTest):
    def test_seeds_differ_repeat_and_resume(self):
        trials = self.sweep_in_lab(PLAN, *PATIENCE)
        self.check_seeds(trials)
        self.check_report()
        again = self.sweep_in_lab(PLAN, *PATIENCE, out="elsewhere")
        self.assertEqual(lab_harness.counts_of(again), lab_harness.counts_of(trials))
        self.check_resume(trials)

    def check_seeds(self, trials):
        self.assertEqual([trial["lab_seed"] for trial in trials],
                         [seed for seed in SEEDS for _ in range(TRIALS_PER_SEED)])
        self.assertEqual(len({trial["id"] for trial in trials}), len(trials))
        orders = [[point_of(trial) for trial in trials if trial["lab_seed"] == seed]
                  for seed in SEEDS]
        self.assertEqual(orders, [orders[0]] * len(SEEDS), "each seed keeps the plan's order")
        exits = {}
        for trial in trials:
            exits.setdefault(point_of(trial), set()).add(trial["pause_exits"])
        print("PAUSE exits per point over the seeds:", list(map(sorted, exits.values())))
        counts = [[json.dumps(count) for count in lab_harness.counts_of(
            [trial for trial in trials if trial["lab_seed"] == seed]).values()] for seed in SEEDS]
        self.assertGreater(len(set(map(tuple, counts))), 1, "no seed differs from another")

    def check_report(self):
        report = json.loads(self.plectl("report", "out", "--format", "json").stdout)
        self.assertEqual(report["lab_seeds"], len(SEEDS))
        self.assertIn("not silicon", report["lab"])
        for group in report["groups"]:
            self.assertEqual((group["trials"], group["lab_seeds"]), (len(SEEDS), len(SEEDS)))
        self.assertRegex(self.plectl("report", "out").stdout, r"min\.\.max")

    def check_resume(self, trials):
        """A run with the first seed done and the second begun goes on without doing a trial twice.
        The last seed cannot tell: it gives the counts that it gave in the uninterrupted run."""
        kept = TRIALS_PER_SEED + 1
        lines = (self.directory / "out/run.jsonl").read_text().splitlines(keepends=True)
        ends = [i + 1 for i, line in enumerate(lines) if '"kind":"trial"' in line]
        (self.directory / "again").mkdir()
        self.write("again/run.jsonl", "".join(lines[:ends[kept - 1]]))
        again = self.sweep_in_lab(PLAN, *PATIENCE, out="again")
        self.assertEqual(sorted(trial["id"] for trial in again),
                         sorted(trial["id"] for trial in trials))
        last = [lab_harness.counts_of([t for t in run if t["lab_seed"] == SEEDS[-1]])
                for run in (trials, again)]
        self.assertEqual(*last)
        text = (self.directory / "again/run.jsonl").read_text()
        self.assertEqual(text.splitlines(keepends=True)[:ends[kept - 1]], lines[:ends[kept - 1]])
        done = self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "again")
        self.assertIn("finished already", done.stderr)
        self.assertEqual((self.directory / "again/run.jsonl").read_text(), text)


if __name__ == "__main__":
    lab_harness.main()
