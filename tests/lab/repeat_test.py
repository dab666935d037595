#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same plan gives the same run log, byte for byte, and the same number of emulated instructions:
from the snapshot and cold, on an idle host and a busy one, alone and beside another lab."""

import json
import subprocess
import sys

import lab_harness

PLAN = """
name: repeat
seed: 8
params: {ple_gap: 128, ple_window: 1024, ple_window_grow: [0, 2]}
workloads:
  - {payload: ttas, vcpus: [2, 3], cpus: [0], hold_tsc_cycles: 2000, iterations: 1000}
"""
TRIALS = 8
# Several labs on a machine that may be busy.
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")


class Repeat(lab_harness.LabTest):
    def setUp(self):
        super().setUp()
        self.write("plan.yaml", PLAN)

    def start(self, out, *options):
        return subprocess.Popen(
            [lab_harness.PLECTL, "sweep", "plan.yaml", "--host", "lab", "--out", out, *PATIENCE,
             *options], cwd=self.directory, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def log_of(self, out, sweep):
        """The run log of a started sweep, once it is finished."""
        _, errors = sweep.communicate(timeout=lab_harness.TIMEOUT_S)
        self.assertEqual(sweep.returncode, 0, errors)
        self.assertNotIn("booting the lab, since", errors)  # else it was another kind of start
        trials = lab_harness.read_trials(self.directory / out)
        self.assertEqual(len(trials), TRIALS)
        return (self.directory / out / "run.jsonl").read_bytes()

    def sweep(self, out, *options):
        return self.log_of(out, self.start(out, *options))

    def occupy_the_host(self):
        for _ in range(2):
            loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            self.addCleanup(loop.wait)
            self.addCleanup(loop.kill)  # runs before wait

    def instructions(self, *options):
        done = self.plectl("lab", "boot", "--format", "json", *PATIENCE, *options, timeout_s=lab_harness.TIMEOUT_S)
        count = json.loads(done.stdout)["emulated_instructions"]
        self.assertIsInstance(count, int)
        return count

    # Clocks are the lab's too, so not even timings may differ.
    def test_from_the_snapshot(self):
        alone = self.sweep("alone")
        pair = [self.start(out) for out in ("left", "right")]
        for out, sweep in zip(("left", "right"), pair):
            self.assertEqual(self.log_of(out, sweep), alone, f"{out} of two labs at once")
        if lab_harness.FULL:
            instructions = self.instructions()
            self.occupy_the_host()
            self.assertEqual(self.sweep("busy"), alone, "beside busy loops")
            self.assertEqual(self.instructions(), instructions)

    if lab_harness.FULL:  # the snapshots that all tests rest on were cold once
        def test_cold(self):
            first = self.sweep("first", "--lab-start", "cold")
            instructions = self.instructions("--lab-start", "cold")
            self.occupy_the_host()
            self.assertEqual(self.sweep("second", "--lab-start", "cold"), first)
            self.assertEqual(self.instructions("--lab-start", "cold"), instructions)
            print(f"a cold boot is {instructions} instructions")

    def test_another_seed_is_another_replicate(self):
        counts = {}
        for seed in (0, 1):
            out = f"seed{seed}"
            self.sweep(out, "--lab-seed", str(seed))
            trials = lab_harness.read_trials(self.directory / out)
            counts[seed] = lab_harness.counts_of(trials)
            self.assertEqual(lab_harness.read_lines(self.directory / out)[0]["host"]["lab"]["seed"],
                             seed)
        self.assertEqual(counts[0].keys(), counts[1].keys())
        self.assertNotEqual(counts[0], counts[1])


if __name__ == "__main__":
    lab_harness.main()
