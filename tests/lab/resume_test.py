#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lab sweep whose plectl is killed outside: no emulator survives, each record that was finished is
there, and the same command goes on without repeating or losing a trial."""

import collections
import os
import signal
import subprocess
import time

import lab_harness

PLAN = """
name: resume
seed: 6
blocks: 4
params: {ple_window: [1024, 4096]}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 4000}
"""
TRIALS = 16


def children_of(pid):
    listing = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], text=True,
                             capture_output=True, check=False).stdout
    return [int(word) for word in listing.split()]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Resume(lab_harness.LabTest):
    def test_resumes_after_sigkill_and_after_sigint(self):
        for number, exit_code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 5)):
            with self.subTest(signal=number.name):
                self.stop_sweep(number, exit_code)
        self.sweep_in_lab(PLAN)
        trials = lab_harness.read_trials(self.directory / "out")
        ids = collections.Counter(trial["id"] for trial in trials)
        self.assertEqual(len(ids), TRIALS)
        self.assertEqual(set(ids.values()), {1})
        before = (self.directory / "out/run.jsonl").read_bytes()
        self.sweep_in_lab(PLAN)
        self.assertEqual((self.directory / "out/run.jsonl").read_bytes(), before)

    def stop_sweep(self, number, exit_code):
        """Starts the sweep, stops it after two more records, checks what is left."""
        self.write("plan.yaml", PLAN)
        log = self.directory / "out/run.jsonl"
        records = log.read_text().count('"kind":"trial"') if log.exists() else 0
        sweep = subprocess.Popen([lab_harness.PLECTL, "sweep", "plan.yaml", "--host", "lab",
                                  "--out", "out"], cwd=self.directory,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(sweep.kill)
        give_up = time.monotonic() + 600
        while not log.exists() or log.read_text().count('"kind":"trial"') < records + 2:
            self.assertIsNone(sweep.poll(), "the sweep ended by itself")
            self.assertLess(time.monotonic(), give_up, "no records arrived")
            time.sleep(0.1)
        emulators = children_of(sweep.pid)
        self.assertTrue(emulators)
        os.kill(sweep.pid, number)
        _, errors = sweep.communicate(timeout=60)
        self.assertEqual(sweep.returncode, exit_code, errors)
        give_up = time.monotonic() + 10
        while any(map(is_alive, emulators)) and time.monotonic() < give_up:
            time.sleep(0.1)
        self.assertFalse(any(map(is_alive, emulators)), "an emulator survived plectl")


if __name__ == "__main__":
    lab_harness.main()
