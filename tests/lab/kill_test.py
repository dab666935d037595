#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of plectl at seeded random moments of a sweep inside the lab: `plectl params restore`
brings back the originals every time, and the resumed run holds every finished trial exactly once."""

import collections
import json
import os
import random

import lab_harness

KILLS = 50 if lab_harness.FULL else 15
BLOCKS = KILLS * 2 // 5
SEED = int(os.environ.get("PLECTL_TEST_SEED", "20"))
# Two reloads for each pair of trials, so that many kills hit one.
PLAN = f"""
name: kill
seed: 5
blocks: {BLOCKS}
arms: [pause]
params: {{ple_gap: 128, ple_window: [1024, 2048, 8192, 16384], ple_window_grow: 0}}
workloads:
  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 100}}
"""
SCRIPT = """
cat /sys/module/kvm_intel/parameters/* > /job/originals
while read delay_us; do
  plectl sweep /job/plan.yaml --out /job/out --progress none >/dev/null 2>>/job/log &
  victim=$!
  usleep $delay_us
  kill -KILL $victim && echo "killed"
  wait $victim
  cp /job/out/run.jsonl /job/before.jsonl 2>/dev/null
  test -e /sys/module/kvm_intel || echo "state unloaded"
  test -e /sys/module/kvm_intel && { cat /sys/module/kvm_intel/parameters/* | cmp -s - /job/originals || echo "state changed"; }
  plectl params restore >>/job/log 2>&1 || echo "restore failed: $(tail -n 1 /job/log)"
  cat /sys/module/kvm_intel/parameters/* | cmp - /job/originals && echo "originals"
  ls /var/lib/plectl/*.json 2>/dev/null && echo "journal left"
done < /job/delays
plectl sweep /job/plan.yaml --out /job/out --progress none >/dev/null || echo "last sweep failed"
cat /sys/module/kvm_intel/parameters/* | cmp - /job/originals && echo "originals at the end"
cat /job/out/run.jsonl
"""


class Kill(lab_harness.LabTest):
    def test_no_kill_leaves_a_changed_host_or_a_lost_trial(self):
        moments = random.Random(SEED)
        delays_us = [moments.randrange(0, 2_500_000) for _ in range(KILLS)]
        done = self.lab_script(SCRIPT, files={
            "plan.yaml": PLAN, "delays": "".join(f"{delay}\n" for delay in delays_us)})
        lines = [line for line in done.stdout.splitlines() if not line.startswith("{")]
        seen = collections.Counter(lines)
        print(f"seed {SEED}: {dict(seen)}")
        self.assertEqual(seen["originals"], KILLS, lines)
        self.assertEqual(seen["originals at the end"], 1)
        self.assertGreaterEqual(seen["killed"], KILLS * 4 // 5)
        self.assertGreater(seen["state changed"] + seen["state unloaded"], 0,
                           "no kill hit a changed host: the test proves nothing")
        known = {"originals", "originals at the end", "killed", "state changed", "state unloaded"}
        self.assertLessEqual(set(seen), known)
        self.check_run_log([line for line in done.stdout.splitlines() if line.startswith("{")])

    def check_run_log(self, lines):
        trials = [record for record in map(json.loads, lines) if record["kind"] == "trial"]
        ids = collections.Counter(trial["id"] for trial in trials if trial["valid"])
        self.assertEqual(len(ids), 4 * BLOCKS)
        self.assertEqual(set(ids.values()), {1})


if __name__ == "__main__":
    lab_harness.main()
