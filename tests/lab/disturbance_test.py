#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stops, slows or moves vCPU threads amid a trial is found, each cause by its name; and a host that
is left alone is quiet: no trial of a mix of payloads is flagged. With PLECTL_TEST_FULL=1 every cause 20 times
(PLECTL_DISTURBANCE_TIMES; PLECTL_DISTURBANCE_CAUSES: only these), and 500 quiet trials on each of the kernels in
PLECTL_DISTURBANCE_KERNELS (blanks between)."""

import os
import pathlib

import lab_harness

TIMES = int(os.environ.get("PLECTL_DISTURBANCE_TIMES", "20" if lab_harness.FULL else "1"))
KERNELS = os.environ.get("PLECTL_DISTURBANCE_KERNELS", "debian12 debian12-backports").split()
TRACER = pathlib.Path(os.environ.get(
    "PLECTL_TRACER", lab_harness.SOURCE / "build/release/tests/lab/plectl_tracer"))
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")

PLAN = """
name: disturbed
arms: [pause]
blocks: %d
workloads: [{payload: ttas, vcpus: 2, cpus: [1], hold_tsc_cycles: 2000, iterations: 15000}]
"""
# One trial for each cause. They run on CPU 1, the script on CPU 0. A sweep with `--observer none` has no
# controls: the guests after its manifest are trials. Where a cause is undone after its trial, it may reach
# into the next one, so those come last.
SCRIPT = """
taskset -p 1 $$ > /dev/null
c=/sys/fs/cgroup
clock=/sys/devices/system/clocksource/clocksource0
mkdir /fz && mount -t cgroup -o freezer none /fz && mkdir /fz/v1
SETUP
vcpus() { grep -l 'Cpus_allowed_list:.1$' /proc/$pid/task/*/status | cut -d/ -f5; }
quiet() { :; }
sigstop() { kill -STOP $pid; usleep 60000; kill -CONT $pid; }
freeze() { echo 1 > $c/outer/inner/cgroup.freeze; usleep 60000; echo 0 > $c/outer/inner/cgroup.freeze; }
freeze_parent() { echo 1 > $c/outer/cgroup.freeze; usleep 60000; echo 0 > $c/outer/cgroup.freeze; }
freeze_v1() { echo FROZEN > /fz/v1/freezer.state; usleep 60000; echo THAWED > /fz/v1/freezer.state; }
ptrace() { for tid in $(vcpus); do /job/tracer $tid 60; done; }
nice() { for tid in $(vcpus); do renice -n 5 -p $tid; done > /dev/null; }
busy() { taskset 2 sh -c 'while :; do :; done' & busy=$!; usleep 100000; kill $busy; }
affinity() { for tid in $(vcpus); do taskset -p 1 $tid; done > /dev/null; }
there_and_back() { for tid in $(vcpus); do taskset -p 1 $tid; usleep 20000; taskset -p 2 $tid; done > /dev/null; }
quota() { echo '30000 100000' > $c/outer/inner/cpu.max; }
quota_parent() { echo max > $c/outer/inner/cpu.max; echo '30000 100000' > $c/outer/cpu.max; }
cgroup() { echo max > $c/outer/cpu.max; echo $pid > $c/other/cgroup.procs; }
clocksource() { for s in $(cat $clock/available_clocksource); do [ $s = tsc ] || echo $s > $clock/current_clocksource; done; }
offline() { echo tsc > $clock/current_clocksource; echo 0 > /sys/devices/system/cpu/cpu1/online; }
trials() { grep -c '"kind":"trial"' /job/$i/run.jsonl; }
run() {
  echo $$ > $c/outer/inner/cgroup.procs; echo $$ > /fz/v1/cgroup.procs
  plectl sweep /job/plan.yaml --out /job/$i --observer none --disturbed-repeats 0 --attempts 1 \\
    --progress none >&2 & pid=$!
  echo $$ > $c/cgroup.procs; echo $$ > /fz/cgroup.procs
  until [ -s /job/$i/run.jsonl ]; do kill -0 $pid || return; usleep 10000; done
  for cause in CAUSES; do
    before=$(trials)
    until [ -n "$(vcpus)" ]; do kill -0 $pid || return; usleep 5000; done
    usleep 80000
    $cause
    until [ $(trials) -gt $before ]; do kill -0 $pid || return; usleep 10000; done
  done
  wait $pid
  echo 1 > /sys/devices/system/cpu/cpu1/online
  echo "run $i"; cat /job/$i/run.jsonl
}
for i in $(seq TIMES); do run; done
"""
UNIFIED = """
echo +cpu > $c/cgroup.subtree_control
mkdir $c/outer && echo +cpu > $c/outer/cgroup.subtree_control && mkdir $c/outer/inner $c/other
"""
# Version 1 has the cpu controller.
HYBRID = """
c=/v1
mkdir $c && mount -t cgroup -o cpu none $c && mkdir -p $c/outer/inner $c/other
quota_v1() { echo 30000 > $c/outer/inner/cpu.cfs_quota_us; }
quota_v1_parent() { echo -1 > $c/outer/inner/cpu.cfs_quota_us; echo 30000 > $c/outer/cpu.cfs_quota_us; }
cgroup_v1() { echo -1 > $c/outer/cpu.cfs_quota_us; echo $pid > $c/other/cgroup.procs; }
"""
STOPPED = "a vCPU thread was stopped"
FOREIGN = "foreign tasks ran on the measured CPUs"
MOVED = "vCPU threads were moved to other CPUs"
THROTTLED = "a CPU quota throttled plectl"
CAUSES = {
    "quiet": None,
    "sigstop": STOPPED,
    "freeze": STOPPED,
    "freeze_parent": STOPPED,
    "freeze_v1": STOPPED,
    "ptrace": STOPPED,
    "nice": "the scheduling policy, priority or nice value of vCPU threads was changed",
    "busy": FOREIGN,
    "affinity": MOVED,
    "there_and_back": "vCPU threads changed their CPU",
    "quota": THROTTLED,
    "quota_parent": THROTTLED,
    "cgroup": "plectl was moved to another cgroup",
    "clocksource": "the clock source changed",
    "offline": MOVED,
}
HYBRID_CAUSES = {
    "quota_v1": THROTTLED,
    "quota_v1_parent": THROTTLED,
    "cgroup_v1": "plectl was moved to another cgroup",
}
IN_SHORT = "quiet sigstop freeze_v1 busy quota_parent offline"
CHOSEN = os.environ.get("PLECTL_DISTURBANCE_CAUSES",
                        " ".join(CAUSES) if lab_harness.FULL else IN_SHORT).split()

QUIET_PLAN = """
name: quiet
blocks: {blocks}
params: {{ple_gap: 128, ple_window: 4096}}
workloads:
  - {{payload: ttas, vcpus: [2, 4], cpus: [0], hold_tsc_cycles: 2000, iterations: 1000}}
  - {{payload: ticket, vcpus: 3, cpus: [0], iterations: 100}}
  - {{payload: barrier, vcpus: 2, cpus: [0], iterations: 100}}
  - {{payload: idle, vcpus: 2, cpus: [0], think_tsc_cycles: 400000, iterations: 50}}
  - {{payload: pause_storm, vcpus: 1, cpus: [0], iterations: 50000}}
"""
QUIET_WORKLOADS = 6
ARMS = 2


class Disturbance(lab_harness.LabTest):
    def test_each_cause_is_found(self):
        self.check_found(UNIFIED, {cause: CAUSES[cause] for cause in CHOSEN})

    if lab_harness.FULL:  # another lab
        def test_each_cause_of_a_hybrid_host_is_found(self):
            self.check_found(HYBRID, HYBRID_CAUSES)

    def check_found(self, setup, causes):
        script = SCRIPT.replace("SETUP", setup).replace("TIMES", str(TIMES))
        done = self.lab_script(script.replace("CAUSES", " ".join(causes)), "--lab-cpus", "2", "--file",
                               f"{TRACER}:/job/tracer", *PATIENCE, timeout_s=lab_harness.TIMEOUT_S,
                               files={"plan.yaml": PLAN % len(causes)})
        runs = lab_harness.runs_of(done.stdout)
        self.assertEqual(len(runs), TIMES, done.stderr[-2000:])
        for trials in runs.values():
            self.assertEqual(len(trials), len(causes), done.stderr[-2000:])
        for index, (cause, reason) in enumerate(causes.items()):
            trials = [trials[index] for trials in runs.values()]
            found = sum((reason or "quiet") in trial.get("disturbed_because", "quiet") for trial in trials)
            print(f"{cause}: {found} of {TIMES}; {trials[0].get('disturbed_because', 'quiet')[:150]}")
            for trial in trials:
                with self.subTest(cause=cause):
                    self.check(trial, reason)

    def check(self, trial, reason):
        account = {key: trial["noise"][group][key] for group, key in
                   (("threads", "stopped_ns"), ("cpus", "lost_ns"), ("cpus", "foreign_ns"),
                    ("cgroup", "throttled_periods"))}
        if reason is None:
            self.assertNotIn("disturbed_because", trial, account)
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
            return
        self.assertIn(reason, trial.get("disturbed_because", "quiet"), account)
        # What says that it ran on CPU 1 and did not is no result.
        self.assertEqual(trial["valid"], MOVED not in trial["disturbed_because"])

    def test_a_host_that_is_left_alone_is_quiet(self):
        per_block = QUIET_WORKLOADS * ARMS
        blocks = -(-500 // per_block) if lab_harness.FULL else 2
        for kernel in KERNELS if lab_harness.FULL else KERNELS[:1]:
            with self.subTest(kernel=kernel):
                self.sweep_in_lab(QUIET_PLAN.format(blocks=blocks), "--lab-kernel", kernel, *PATIENCE,
                                  "--attempts", "1", "--disturbed-repeats", "0", out=kernel)
                trials = lab_harness.read_trials(self.directory / kernel, only_valid=False)
                self.assertEqual(len(trials), blocks * per_block)
                flagged = [trial.get("disturbed_because", trial.get("invalid_because"))
                           for trial in trials if "disturbed_because" in trial or not trial["valid"]]
                worst = {key: max(trial["noise"][group][key] for trial in trials) for group, key in
                         (("threads", "stopped_ns"), ("cpus", "lost_ns"), ("cpus", "foreign_ns"))}
                print(f"{kernel}: {len(trials)} trials, {len(flagged)} flagged, most: {worst}")
                self.assertEqual(flagged, [])


if __name__ == "__main__":
    lab_harness.main()
