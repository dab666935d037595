#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Without an observer KVM's own count stands alone; what an observer adds to an exit can be measured
and repeats. Runs the job of bench/observer_effect, one boot."""

import importlib.machinery
import importlib.util
import sys

import lab_harness

OTHER_OBSERVER = """
plectl sweep /job/storm.yaml --out /job/none-storm --progress none >&2; echo "refused $?"
"""


def load_bench():
    path = str(lab_harness.SOURCE / "bench/observer_effect")
    sys.path.insert(0, str(lab_harness.SOURCE / "bench"))
    loader = importlib.machinery.SourceFileLoader("observer_effect", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("observer_effect",
                                                                             loader))
    loader.exec_module(module)
    return module


class ObserverEffect(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        cls.bench = load_bench()
        harness = cls()
        cls.addClassCleanup(harness.doCleanups)
        harness.setUp()
        files = cls.bench.job_files(["none", "bpf", "perf", "hist"], blocks=1)
        cls.done = harness.lab_script(files.pop("script.sh") + OTHER_OBSERVER, files=files)
        cls.trials, _ = cls.bench.parse(cls.done.stdout)

    def runTest(self):  # lets setUpClass make an instance for the harness's methods
        pass

    def costs(self, label):
        costs = self.bench.cost_per_exit(self.trials, label)
        self.assertEqual(len(costs), self.bench.STORM_BLOCKS)
        print(f"{label}: {', '.join(f'{cost:.2f}' for cost in costs)} instructions per exit")
        return costs

    def test_none_gives_valid_trials_with_kvms_count_alone(self):
        for plan, trials in (("point", 1), ("storm", self.bench.STORM_BLOCKS)):
            self.assertEqual(len(self.trials["none", plan]), trials)
            for trial in self.trials["none", plan]:
                self.assertGreater(trial["kvm_exits_total"], 1000)
                self.assertEqual(trial["kvm_exits_total"],
                                 sum(vcpu["kvm_exits"] for vcpu in trial["vcpus"]))
                for key in ("exits", "exits_total", "pause_exits", "pause_exits_check",
                            "window_updates", "window_growths", "window_shrinks"):
                    self.assertEqual(trial[key], {"missing_because":
                                                  "no observer was attached (--observer none)"})

    def test_a_run_without_observers_is_not_resumed_with_some(self):
        self.assertIn("\nrefused 2\n", self.done.stdout)
        self.assertIn("started with the observers none, now asked for is --observer auto",
                      self.done.stderr)

    def test_the_default_pair_costs_the_same_each_time_and_less_than_the_others(self):
        bpf = self.costs("bpf")
        self.assertGreater(min(bpf), 50)
        self.assertLessEqual(max(bpf) - min(bpf), 2)
        self.assertLess(max(bpf), min(self.costs("perf")))
        self.assertLess(max(bpf), min(self.costs("hist")))

    def test_none_costs_nothing_within_the_noise(self):
        for cost in self.costs("none"):
            self.assertLessEqual(abs(cost), 2)


if __name__ == "__main__":
    lab_harness.main()
