#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Without an observer KVM's own count stands alone; what an observer adds to an exit can be measured
and repeats. Runs the job of bench/observer_effect, one boot."""

import importlib.machinery
import importlib.util
import json
import pathlib
import statistics
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
        labels = ["none", "bpf", "pause-only", "bpf-pair", "perf", "hist", *cls.bench.DETAILS]
        files = cls.bench.job_files(labels, blocks=1)
        guest = pathlib.Path(lab_harness.PLECTL).parent / cls.bench.EXITS_GUEST
        cls.done = harness.lab_script(files.pop("script.sh") + OTHER_OBSERVER,
                                      "--file", f"{guest}:/job/exits.elf", files=files)
        cls.trials, _ = cls.bench.parse(cls.done.stdout)

    def runTest(self):  # lets setUpClass make an instance for the harness's methods
        pass

    def costs(self, label, plan="storm"):
        costs = self.bench.cost_per_exit(self.trials, label, plan)
        self.assertEqual(len(costs), self.bench.STORM_BLOCKS)
        print(f"{label}, {plan}: {', '.join(f'{cost:.2f}' for cost in costs)} instructions per "
              "exit")
        return costs

    def test_none_gives_valid_trials_with_kvms_count_alone(self):
        for plan, trials in (("point", 1), ("storm", self.bench.STORM_BLOCKS),
                             ("other", self.bench.STORM_BLOCKS)):
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

    def test_the_default_costs_the_same_each_time_and_less_than_the_others(self):
        bpf = self.costs("bpf")
        self.assertGreater(min(bpf), 50)
        self.assertLessEqual(max(bpf) - min(bpf), 3)
        self.assertLess(max(bpf), min(self.costs("bpf-pair")))
        self.assertLess(max(bpf), min(self.costs("perf")))
        self.assertLess(max(bpf), min(self.costs("hist")))

    def test_the_default_stays_within_its_bound(self):
        for plan in ("storm", "other"):
            self.assertLessEqual(statistics.median(self.costs("bpf", plan)), 180)

    def test_pause_only_is_cheaper_and_costs_other_exits_nothing(self):
        self.assertLessEqual(max(self.costs("pause-only")), 145)
        for cost in self.costs("pause-only", "other"):
            self.assertLessEqual(abs(cost), 1)

    def test_the_manifest_says_what_is_measured_here(self):
        manifests = [json.loads(line) for line in self.done.stdout.splitlines()
                     if line.startswith('{"') and json.loads(line)["kind"] == "manifest"]
        labels = {"bpf-exit": "bpf", "bpf-on-spin": "pause-only",
                  "bpf-exit+bpf-on-spin": "bpf-pair"}
        told = {"+".join(manifest["observers"]): manifest["observer_cost"]
                for manifest in manifests}
        for observers, label in labels.items():
            for key, plan in (("instructions_per_pause_exit", "storm"),
                              ("instructions_per_other_exit", "other")):
                with self.subTest(observers=observers, plan=plan):
                    measured = statistics.median(self.costs(label, plan))
                    self.assertLessEqual(abs(measured - told[observers][key]), 3)

    def test_none_costs_nothing_within_the_noise(self):
        for plan in ("storm", "other"):
            for cost in self.costs("none", plan):
                self.assertLessEqual(abs(cost), 2)


if __name__ == "__main__":
    lab_harness.main()
