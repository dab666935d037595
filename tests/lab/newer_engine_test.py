#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The AMD lab on an engine that has the pause filter's threshold, which scripts/newer-engine fetches:
stock kvm_amd turns the filter on, exits fall as the count grows, and there is none when the threshold
is shorter than the guest's loop of three ticks."""

import json

import lab_harness

WORKLOAD = "{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 4000, iterations: 10000}"
COUNTS = f"""
name: counts
seed: 1
arms: [pause, nop]
params: {{pause_filter_count: [100, 1000, 3000, 10000], pause_filter_count_grow: 0}}
workloads:
  - {WORKLOAD}
"""
THRESHOLDS = f"""
name: thresholds
seed: 1
arms: [pause]
params: {{pause_filter_count: 3000, pause_filter_thresh: [0, 1, 2, 3, 4, 128]}}
workloads:
  - {WORKLOAD}
"""
# PAUSE at CPL 3: AMD's filter counts it, Intel's PLE does not (guest_test.py).
RING_3 = """
name: ring-3
arms: [pause, nop]
params: {pause_filter_count: [99, 1000], pause_filter_count_grow: 0}
workloads: [{payload: [pause_loop, user_pause_loop], vcpus: 1, cpus: 0, iterations: 120000}]
"""
# One spinner that nobody schedules out: the count doubles at each exit, up to the 16 bits' end.
GROWTH = """
name: growth
arms: [pause]
params: {pause_filter_count: 3000, pause_filter_count_grow: 2, pause_filter_count_shrink: 0}
workloads: [{payload: pause_loop, vcpus: 1, cpus: 0, iterations: 1000000, scheduling: fifo}]
"""
# All that --observe offers, on a contended lock.
DETAILS = """
name: details
arms: [pause]
workloads: [{payload: ttas, vcpus: 3, cpus: 0, hold_tsc_cycles: 300000, iterations: 20}]
"""
SCRIPT = """
grep -q pfthreshold /proc/cpuinfo && echo pfthreshold
for plan in counts thresholds growth; do
  plectl sweep /job/$plan.yaml --out /job/$plan --check-observer every-trial --progress none >&2 || exit
  cat /job/$plan/run.jsonl
done
plectl sweep /job/details.yaml --out /job/details --progress none \\
  --observe exit_times,pause_rips,directed_yields,hardware >&2 && cat /job/details/run.jsonl
"""


class NewerEngine(lab_harness.LabTest):
    def check_growth(self, trial):
        self.assertEqual(trial["workload"]["payload"], "pause_loop")
        self.assertEqual([entry[1:] for entry in trial["vcpus"][0]["window"]["track"]],
                         [[3000, 6000], [6000, 12000], [12000, 24000], [24000, 48000],
                          [48000, 65535]])
        self.assertEqual(trial["window_updates"], 5)
        self.assertGreater(trial["pause_exits"], 5)

    def check_details(self, trial):
        self.assertTrue(trial["valid"], trial.get("invalid_because"))
        exits = trial["pause_exits"]
        self.assertGreater(exits, 50)
        self.assertEqual(trial["exit_times"]["PAUSE"]["count"], exits)
        self.assertEqual(sum(trial["exit_times"]["PAUSE"]["log2_ns"]), exits)
        sites = trial["pause_rips"]["sites"]
        self.assertEqual(sum(site["exits"] for site in sites), exits)
        self.assertTrue(all(site["relax_site"] for site in sites), sites)
        yields = [vcpu["directed_yields"] for vcpu in trial["vcpus"]]
        self.assertEqual(sum(of_vcpu["on_spin_calls"] for of_vcpu in yields), exits)
        self.assertGreater(sum(of_vcpu["succeeded"] for of_vcpu in yields), 0)
        for vcpu in trial["vcpus"]:
            self.assertIn("missing_because", vcpu["hardware"]["pauses_retired_guest"])

    def test_amd_pause_filter_has_its_count_and_its_threshold(self):
        done = self.lab_script(SCRIPT, "--lab-cpu", "amd", "--lab-engine",
                               self.newer_engine(),
                               files={"counts.yaml": COUNTS, "thresholds.yaml": THRESHOLDS,
                                      "growth.yaml": GROWTH, "details.yaml": DETAILS})
        self.assertIn("pfthreshold\n", done.stdout)
        trials = lab_harness.trials_of(done.stdout)
        self.check_details(trials.pop())
        self.check_growth(trials.pop())
        self.assertEqual(len(trials), 2 * 4 + 6)
        for trial in trials:
            with self.subTest(arm=trial["arm"], **trial["params"]):
                self.assertTrue(trial["valid"], trial.get("invalid_because"))
                self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])
                self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
        self.check_counts([trial for trial in trials
                           if trial["params"]["pause_filter_count_grow"] == 0])
        self.check_thresholds([trial for trial in trials
                               if trial["params"]["pause_filter_count_grow"] != 0])

    def check_counts(self, trials):
        exits = {(trial["arm"], trial["params"]["pause_filter_count"]): trial["pause_exits"]
                 for trial in trials}
        falling = [exits["pause", count] for count in (100, 1000, 3000, 10000)]
        self.assertEqual(falling, sorted(falling, reverse=True))
        self.assertGreater(falling[0], 5 * falling[-1])
        self.assertGreater(falling[-1], 0)
        self.assertEqual({exits["nop", count] for count in (100, 1000, 3000, 10000)}, {0})

    def check_thresholds(self, trials):
        exits = {trial["params"]["pause_filter_thresh"]: trial["pause_exits"] for trial in trials}
        self.assertEqual([exits[threshold] for threshold in (0, 1, 2)], [0, 0, 0])
        for threshold in (3, 4, 128):
            self.assertGreater(exits[threshold], 100)

    def test_the_engine_passes_its_self_test_and_traps_pause_in_ring_3(self):
        engine = self.newer_engine()
        checked = json.loads(self.plectl("lab", "check", "--lab-engine", engine, "--lanes", "amd",
                                         "--format", "json").stdout)
        facts = checked["labs"][0]["facts"]
        self.assertTrue(facts["repeatable"] and facts["closed_form"], facts)
        self.assertEqual((facts["first_gap_tsc_cycles"], facts["ple_off_because"]), (3, ""))
        trials = self.sweep_in_lab(RING_3, "--lab-cpu", "amd", "--lab-engine", engine)
        self.assertEqual(len(trials), 2 * 2 * 2)
        for trial in trials:
            count = trial["params"]["pause_filter_count"]
            with self.subTest(arm=trial["arm"], count=count, **trial["workload"]):
                if trial["arm"] == "nop":
                    self.assertEqual(trial["pause_exits"], 0)
                    continue
                # Each other exit makes the filter begin anew.
                others = trial["kvm_exits_total"] - trial["pause_exits"]
                self.assertLessEqual(abs(trial["pause_exits"] - 120000 // (count + 2)), others)


if __name__ == "__main__":
    lab_harness.main()
