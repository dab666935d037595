#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of plectl at seeded random moments of a sweep, a `params set` or a `params restore` inside
the lab: `plectl params restore` brings back the originals every time, no file is torn, and the
resumed run holds every finished trial exactly once."""

import collections
import json
import os
import random

import lab_harness

KILLS = 200 if lab_harness.FULL else 12
BLOCKS = KILLS // 4
# How long each command takes in the lab at most, in us: the kill comes anywhere in it.
COMMANDS = {"sweep": 2_500_000, "set": 300_000, "restore": 300_000}
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
sweep() { exec plectl sweep /job/plan.yaml --out /job/out --progress none; }
set_() { exec plectl params set --persist ple_window=5000 ple_window_grow=0; }
restore() { exec plectl params restore; }
# How many whole lines the log has, and their checksum: copies of it would fill the lab.
sum_of() { head -n $1 /job/out/run.jsonl | sha256sum; }
whole_lines() {
  lines=$(wc -l </job/out/run.jsonl) && echo "$lines $(sum_of $lines)" >>/job/before
} 2>/dev/null
while read command delay_us; do
  test $command = restore && plectl params set ple_window=6000 >/dev/null 2>>/job/log
  case $command in sweep) sweep ;; set) set_ ;; restore) restore ;; esac >/dev/null 2>>/job/log &
  victim=$!
  usleep $delay_us
  kill -KILL $victim 2>/dev/null && echo "killed $command"
  wait $victim
  test $command = sweep && whole_lines
  test -e /sys/module/kvm_intel || echo "state unloaded"
  test -e /sys/module/kvm_intel && { cat /sys/module/kvm_intel/parameters/* | cmp -s - /job/originals || echo "state changed"; }
  plectl params restore >>/job/log 2>&1 || echo "restore failed: $(tail -n 1 /job/log)"
  cat /sys/module/kvm_intel/parameters/* | cmp - /job/originals && echo "originals"
  ls /var/lib/plectl/*.json 2>/dev/null && echo "journal left"
done < /job/delays
plectl sweep /job/plan.yaml --out /job/out --progress none >/dev/null || echo "last sweep failed"
cat /sys/module/kvm_intel/parameters/* | cmp - /job/originals && echo "originals at the end"
while read lines sum; do  # they must still be there
  test "$(sum_of $lines)" = "$sum" || echo "lost one of the first $lines lines"
done < /job/before
echo "$(wc -l </job/before) logs looked at"
ls /etc/modprobe.d/*.conf 2>/dev/null
cat /job/out/run.jsonl
"""


class Kill(lab_harness.LabTest):
    def test_no_kill_leaves_a_changed_host_or_a_lost_trial(self):
        moments = random.Random(SEED)
        commands = [command for _ in range(KILLS // 3 + 1) for command in COMMANDS][:KILLS]
        delays = [f"{command} {moments.randrange(COMMANDS[command])}\n" for command in commands]
        done = self.lab_script(SCRIPT, files={"plan.yaml": PLAN, "delays": "".join(delays)},
                               timeout_s=lab_harness.TIMEOUT_S)
        lines = [line for line in done.stdout.splitlines() if not line.startswith("{")]
        seen = collections.Counter(lines)
        print(f"seed {SEED}: {dict(seen)}")
        self.assertEqual(seen["originals"], KILLS, lines)
        self.assertEqual(seen["originals at the end"], 1)
        for command in COMMANDS:
            self.assertGreaterEqual(seen[f"killed {command}"], KILLS // 3 * 2 // 3, command)
        self.assertGreater(seen["state changed"] + seen["state unloaded"], 0,
                           "no kill hit a changed host: the test proves nothing")
        looked_at = [line for line in seen if line.endswith(" logs looked at")]
        self.assertGreater(int(looked_at[0].split()[0]), KILLS // 6, lines)
        known = {"originals", "originals at the end", "state changed", "state unloaded", *looked_at,
                 *(f"killed {command}" for command in COMMANDS)}
        self.assertLessEqual(set(seen), known)
        self.check_run_log([line for line in done.stdout.splitlines() if line.startswith("{")])

    def check_run_log(self, lines):
        trials = [record for record in map(json.loads, lines) if record["kind"] == "trial"]
        ids = collections.Counter(trial["id"] for trial in trials if trial["valid"])
        self.assertEqual(len(ids), 4 * BLOCKS)
        self.assertEqual(set(ids.values()), {1})


if __name__ == "__main__":
    lab_harness.main()
