#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The noise watch on a real kernel: a quiet lab is quiet; memory that is really reclaimed during a trial
is found, be it for want of memory or for a cgroup's limit, and the trial is repeated, within bounds."""

import os
import pathlib
import re

import lab_harness

QUIET_PLAN = """
name: quiet
seed: 3
params: {ple_gap: 128, ple_window: [1024, 4096]}
workloads:
  - {payload: ttas, vcpus: [2, 4], cpus: [0], hold_tsc_cycles: 2000, iterations: 2000}
  - {payload: pause_storm, vcpus: 1, cpus: [0], iterations: 100000}
"""
LONG_PLAN = """
name: long
arms: [pause]
params: {ple_gap: 128, ple_window: 4096}
workloads: [{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 10000}]
"""
# A hog works in the cgroup "limited" or the root, a sweep runs in either. The hog ends when the first
# record is there, but that of "stays" when the sweep has ended.
SCRIPT = """
cd /sys/fs/cgroup
echo +memory > cgroup.subtree_control
mkdir limited && echo $((28 << 20)) > limited/memory.max
chmod +x /job/hog
enter() { echo $$ > /sys/fs/cgroup/$1/cgroup.procs; }
scanned() { grep ^pgscan_$2 $1; }
hog() {
  file=$1/memory.stat; [ $1 = . ] && file=/proc/vmstat
  before=$(scanned $file $3)
  enter $1; /job/hog $2 & hog=$!; enter .
  while [ "$(scanned $file $3)" = "$before" ]; do usleep 100000; done
}
sweep() {
  enter $2; plectl sweep /job/plan.yaml --out /job/$1 --progress plain --disturbed-repeats $3 >&2 &
  sweep=$!; enter .
}
until_record() { until grep -q '"kind":"trial"' /job/$1/run.jsonl 2>/dev/null; do usleep 100000; done; }
end() { kill $hog; wait $hog; wait $sweep; echo "$1 $?" >&2; cat /job/$1/run.jsonl; }

hog limited 48 direct; sweep other . 20; until_record other; end other
hog limited 48 direct; sweep own limited 20; until_record own; end own
hog limited 48 direct; sweep stays . 1; wait $sweep; end stays
hog . 160 kswapd; sweep host . 20; until_record host; end host
plectl report /job/stays >&2
"""
RUNS = ("other", "own", "stays", "host")
HOG = pathlib.Path(os.environ.get(
    "PLECTL_MEMORY_HOG", lab_harness.SOURCE / "build/release/tests/lab/plectl_memory_hog"))


class Noise(lab_harness.LabTest):
    def test_a_quiet_lab_is_quiet(self):
        self.check_quiet("bpf")

    if lab_harness.FULL:
        def test_what_plectl_does_to_arm_perf_is_no_noise(self):
            self.check_quiet("perf")  # 60 ms of its own and of the kernel's before each trial

    def check_quiet(self, observer):
        trials = self.sweep_in_lab(QUIET_PLAN, "--observer", observer)
        self.assertEqual(len(trials), 12)
        for trial in lab_harness.read_trials(self.directory / "out", only_valid=False):
            with self.subTest(arm=trial["arm"], **trial["workload"]):
                self.assertNotIn("disturbed_because", trial)
                self.assertTrue(trial["valid"], trial.get("invalid_because"))
                self.check_plausible(trial)

    def check_plausible(self, trial):
        noise = trial["noise"]
        run_ns = trial["timings"]["run_ns"]
        self.assertGreaterEqual(noise["window_ns"], run_ns)
        for key, value in noise["vmstat"].items():
            self.assertEqual(value, 0, key)
        for key in ("memory_some_us", "memory_full_us", "io_some_us", "io_full_us"):
            self.assertEqual(noise["pressure"][key], 0)
        cpus = noise["cpus"]
        vcpus_ns = sum(vcpu["user_ns"] + vcpu["system_ns"] for vcpu in trial["vcpus"])
        self.assertGreater(cpus["busy_ns"], vcpus_ns * 0.99)
        self.assertLess(cpus["foreign_ns"], 2_000_000 + run_ns // 20)
        self.assertEqual(cpus["foreign_resolution_ns"], 0, "from the scheduler, not from ticks")
        switches = sum(vcpu["involuntary_switches"] + vcpu["voluntary_switches"]
                       for vcpu in trial["vcpus"])
        self.assertGreaterEqual(cpus["timeslices"], switches)
        # One CPU: but for switches to idle and between the two readings they are the same.
        self.assertAlmostEqual(cpus["timeslices"], cpus["host_context_switches"], delta=10)
        self.assertEqual(cpus["steal_ns"], 0)
        self.assertEqual(noise["irqs"]["device"], 0)
        self.assertGreater(noise["irqs"]["timer"], run_ns // 8_000_000)
        zones = noise["zones"]
        self.assertGreater(zones["free_pages_end"], zones["high_pages"])
        self.assertLess(zones["min_pages"], zones["low_pages"])
        self.assertLess(zones["low_pages"], zones["high_pages"])
        self.assertEqual(noise["cgroup"]["memcg_pgscan"], 0)
        self.assertIn("root cgroup", noise["cgroup"]["own_pgscan"]["missing_because"])
        # The emulated CPU has no counters of its frequency, and says so.
        self.assertIn("missing_because", noise["frequency"]["average_khz"])
        self.assertIn("missing_because", noise["frequency"]["khz_start"])

    def test_real_reclaim_is_found_and_the_trial_repeated(self):
        done = self.plectl("lab", "exec", "--file", f"{HOG}:/job/hog",
                           "--file", f"{self.write('plan.yaml', LONG_PLAN)}:/job/plan.yaml",
                           "--file", f"{self.write('script.sh', SCRIPT)}:/job/script.sh",
                           "--", "sh", "/job/script.sh")
        sweeps = runs_of(done.stdout)
        self.assertEqual(tuple(sweeps), RUNS)
        for name, reason, key in (
                ("host", "kswapd reclaimed memory", ("vmstat", "pgscan_kswapd")),
                ("other", "a cgroup's limit made it reclaim memory", ("cgroup", "memcg_pgscan")),
                ("own", "plectl's cgroup hit its memory limit", ("cgroup", "own_pgscan"))):
            with self.subTest(sweep=name):
                self.assertRegex(done.stderr, rf"(?m)^{name} 0$")
                self.check_repeated(sweeps[name], reason, key)
        self.check_stays(sweeps["stays"], done.stderr)

    def check_repeated(self, trials, reason, key):
        first, last = trials[0], trials[-1]
        self.assertFalse(first["valid"])
        self.assertTrue(first["invalid_because"].startswith("disturbed: "))
        self.assertIn(reason, first["disturbed_because"])
        self.assertGreater(first["noise"][key[0]][key[1]], 500)
        self.assertGreater(len(trials), 1)
        self.assertTrue(last["valid"], last.get("invalid_because"))
        self.assertNotIn("disturbed_because", last)
        self.assertEqual({trial["id"] for trial in trials}, {first["id"]})
        for group in ("vmstat", "cgroup"):
            for value in last["noise"][group].values():
                self.assertTrue(value == 0 or "missing_because" in value, last["noise"][group])

    def check_stays(self, trials, errors):
        self.assertEqual([trial["valid"] for trial in trials], [False, True])
        self.assertIn("a cgroup's limit made it reclaim memory", trials[1]["disturbed_because"])
        self.assertRegex(errors, r"trial \w+ attempt 1 is repeated, it was disturbed: ")
        self.assertRegex(errors, r"trial \w+ attempt 2 is kept, but it was disturbed: ")
        self.assertIn("disturbed by the host: 1 trials were repeated, 1 stayed disturbed", errors)
        self.assertIn("note: 1 of the 1 trials in the table were disturbed by the host", errors)


def runs_of(text):
    """The trials of RUNS, whose logs were printed one after the other."""
    logs = re.split(r'(?m)^(?=.*"kind":"manifest")', text)[1:]
    return {name: lab_harness.trials_of(log) for name, log in zip(RUNS, logs)}


if __name__ == "__main__":
    lab_harness.main()
