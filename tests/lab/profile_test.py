#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trap of the default ple_gap: with PAUSE at 140 TSC cycles PLE never fires, with 40 it does.
Each profile of a CPU puts the cliff where its PAUSE cost and the loop's body say."""

import csv
import io
import json

import lab_harness

# The other instructions of a turn, one TSC cycle each: compare and branch; body_loops adds one
# instruction and two per turn of its loop (guest_workloads/rt/relax.c).
TIGHT = 2
BODY_LOOPS = 5
BODY = TIGHT + 1 + 2 * BODY_LOOPS

PAUSE_TSC_CYCLES = {"skylake-client": 140, "cascade-lake": 40}
if lab_harness.FULL:
    PAUSE_TSC_CYCLES.update({"skylake-server": 129, "ice-lake-server": 37, "broadwell": 12})

CLIFF_PLAN = """
name: cliff
seed: 1
arms: [pause, nop]
params: {{ple_gap: {gaps}, ple_window: 4096, ple_window_grow: 0}}
workloads:
  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 4000, iterations: 500,
     body_loops: [0, {body_loops}]}}
"""
# What a user meets who changes nothing: no params.
DEFAULTS_PLAN = """
name: defaults
seed: 1
arms: [pause]
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 4000, iterations: 500}
"""


def cliff_plan(pause_tsc_cycles):
    gaps = sorted({0, lab_harness.PLE_DEFAULTS["ple_gap"]}.union(
        pause_tsc_cycles + others + side for others in (TIGHT, BODY) for side in (-1, 0)))
    return CLIFF_PLAN.format(gaps=gaps, body_loops=BODY_LOOPS)


def turn_tsc_cycles(trial, pause_tsc_cycles):
    return pause_tsc_cycles + (BODY if trial["workload"]["body_loops"] else TIGHT)


class Profile(lab_harness.LabTest):
    def sweep_cliff(self, name, pause_tsc_cycles, *options):
        trials = self.sweep_in_lab(cliff_plan(pause_tsc_cycles), *options, out=name)
        self.assertEqual(len(trials), 24, "6 gaps, 2 loop bodies, 2 arms")
        return trials

    def check_cliff(self, trials, pause_tsc_cycles):
        for trial in trials:
            gap = trial["params"]["ple_gap"]
            turn = turn_tsc_cycles(trial, pause_tsc_cycles)
            with self.subTest(gap=gap, turn=turn, arm=trial["arm"]):
                fires = trial["arm"] == "pause" and gap >= turn
                self.assertEqual(trial["pause_exits"] > 0, fires, trial["pause_exits"])

    def test_the_cliff_stands_at_pause_cost_plus_loop_body(self):
        for name, cost in PAUSE_TSC_CYCLES.items():
            with self.subTest(profile=name):
                trials = self.sweep_cliff(name, cost, "--lab-cpu", name)
                self.check_cliff(trials, cost)
                self.check_manifest(name, cost)
                self.check_report(name, cost)

    def test_without_a_profile_a_pause_costs_one_cycle(self):
        self.check_cliff(self.sweep_cliff("plain", 1), 1)
        lab = lab_harness.read_lines(self.directory / "plain")[0]["host"]["lab"]
        self.assertIsNone(lab["profile"])
        self.assertNotIn("profile", lab["note"])
        self.assertNotIn("profile", self.plectl("report", "plain").stdout)

    def test_the_kernels_defaults_fire_at_40_and_never_at_140(self):
        exits = {}
        for name in ("skylake-client", "cascade-lake"):
            trial, = self.sweep_in_lab(DEFAULTS_PLAN, "--lab-cpu", name, out=name)
            self.assertLessEqual(lab_harness.PLE_DEFAULTS.items(), trial["params"].items())
            self.assertGreater(sum(vcpu.get("spins", 0) for vcpu in trial["vcpus"]), 1000)
            exits[name] = trial["pause_exits"]
        print(f"PAUSE exits with the kernel's defaults: {exits}")
        self.assertEqual(exits["skylake-client"], 0)
        self.assertGreater(exits["cascade-lake"], 0)

    def check_manifest(self, name, cost):
        lab = lab_harness.read_lines(self.directory / name)[0]["host"]["lab"]
        self.assertEqual(lab["profile"]["name"], name)
        self.assertEqual(lab["profile"]["pause_tsc_cycles"], cost)
        self.assertGreater(len(lab["profile"]["source"]), 10)
        self.assertIn("an emulator, not silicon", lab["note"])
        self.assertIn(f"profile {name} on that emulator", lab["note"])

    def check_report(self, name, cost):
        """Every format names the profile and says that it is one, on an emulator."""
        what = f"profile {name}: one PAUSE costs {cost} TSC cycles"
        text = self.plectl("report", name).stdout
        as_json = json.loads(self.plectl("report", name, "--format", "json").stdout)
        rows = list(csv.DictReader(io.StringIO(
            self.plectl("report", name, "--format", "csv").stdout)))
        self.assertEqual(len(rows), 24)
        for lab in [text, as_json["lab"], *(row["lab"] for row in rows)]:
            self.assertIn(what, lab)
            self.assertIn("a profile on an emulator, not silicon", lab)


if __name__ == "__main__":
    lab_harness.main()
