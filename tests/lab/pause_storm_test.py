#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the hardware and the kernel's formulas say of one spinner, measured in the lab."""

import lab_harness

# Every gap around the PAUSE-to-PAUSE distance of two loop bodies.
CLIFF_PLAN = """
name: cliff
seed: 2
arms: [pause]
params: {ple_gap: {linear: [1, 32, 1]}, ple_window: 256, ple_window_grow: 0}
workloads:
  - {payload: pause_storm, vcpus: 1, cpus: [0], iterations: 20000, body_loops: [0, 5]}
"""
WINDOW_PLAN = """
name: window
seed: 3
arms: [pause, nop]
params: {ple_gap: 128, ple_window: {log2: [1024, 65536]}, ple_window_grow: 0}
workloads:
  - {payload: pause_storm, vcpus: 1, cpus: [0], iterations: 600000}
"""
GROWTH_PLAN = """
name: growth
seed: 4
arms: [pause]
params: {ple_gap: 128, ple_window: [1024, 3000, 4096], ple_window_grow: [2, 3], ple_window_shrink: 0,
         ple_window_max: [10000, 65536, 4294967295]}
workloads:
  - {payload: pause_storm, vcpus: 1, cpus: [0], iterations: 300000, scheduling: fifo}
"""
SCRIPT = """
for name in cliff window growth; do
  plectl sweep /job/$name.yaml --out /job/$name --progress none >&2 || exit 1
  cat /job/$name/run.jsonl
done
"""


def predicted_updates(exits, params):
    """kvm's __grow_ple_window (arch/x86/kvm/x86.h), applied once per exit: changes of the window."""
    base, grow = params["ple_window"], params["ple_window_grow"]
    window = base
    updates = 0
    for _ in range(exits):
        if grow < 1:
            grown = base
        elif grow < base:
            grown = min(window * grow, params["ple_window_max"])
        else:
            grown = min(window + grow, params["ple_window_max"])
        updates += grown != window
        window = grown
    return updates


class PauseStorm(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        harness = cls()
        cls.addClassCleanup(harness.doCleanups)
        harness.setUp()
        done = harness.lab_script(SCRIPT, files={
            "cliff.yaml": CLIFF_PLAN, "window.yaml": WINDOW_PLAN, "growth.yaml": GROWTH_PLAN})
        cls.trials = lab_harness.trials_of(done.stdout)

    def runTest(self):  # lets setUpClass make an instance for the harness's methods
        pass

    def of_plan(self, predicate):
        trials = [trial for trial in self.trials if predicate(trial)]
        self.assertTrue(trials)
        for trial in trials:
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
        return trials

    def test_the_cliff_stands_at_the_measured_pause_interval(self):
        intervals = set()
        for trial in self.of_plan(lambda t: t["workload"]["iterations"] == 20000):
            interval = trial["vcpus"][0]["extra"]["pause_interval_tsc_cycles"]
            intervals.add(interval)
            fires = trial["params"]["ple_gap"] >= interval
            with self.subTest(gap=trial["params"]["ple_gap"], interval=interval):
                self.assertEqual(trial["pause_exits"] > 0, fires)
        self.assertEqual(len(intervals), 2)
        self.assertLess(max(intervals), 32)
        print(f"pause intervals {sorted(intervals)} TSC cycles")

    def test_a_fixed_window_gives_one_exit_per_window(self):
        trials = self.of_plan(lambda t: t["workload"]["iterations"] == 600000)
        for trial in trials:
            if trial["arm"] == "nop":
                self.assertEqual(trial["pause_exits"], 0)
                continue
            extra = trial["vcpus"][0]["extra"]
            window = trial["params"]["ple_window"]
            measured = extra["full_runs_tsc_cycles"] / extra["full_runs"]
            print(f"window {window}: measured {measured:.1f} TSC cycles per exit, "
                  f"{trial['pause_exits']} PAUSE exits")
            with self.subTest(window=window):
                self.assertGreater(extra["full_runs"], 10)
                self.assertLess(abs(measured - window) / window, 0.02)
                self.assertEqual(trial["window_updates"], 0)

    def test_a_growing_window_changes_as_the_kernels_formula_says(self):
        for trial in self.of_plan(lambda t: t["workload"]["iterations"] == 300000):
            with self.subTest(**trial["params"]):
                self.assertEqual(trial["vcpus"][0]["involuntary_switches"], 0)
                self.assertGreater(trial["pause_exits"], 1)
                self.assertEqual(trial["window_updates"],
                                 predicted_updates(trial["pause_exits"], trial["params"]))
                self.assertEqual(trial["window_shrinks"], 0)


if __name__ == "__main__":
    lab_harness.main()
