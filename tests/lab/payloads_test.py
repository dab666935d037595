#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every payload in both arms, overcommitted on one CPU: what its vCPUs did is exact or a closed
form, and PLE ends its spins as its loop's length says. That a trial is valid is the proof of mutual
exclusion, and that its histograms make sense: guest and host check both.

PLECTL_PROBE_GUEST is the payload ELF that tells what it finds (tests/payloads/probe.c).
"""

import math
import os

import lab_harness

PROBE_GUEST = os.environ.get(
    "PLECTL_PROBE_GUEST", lab_harness.SOURCE / "build/release/tests/payloads/plectl_probe_guest")
LOCKS = {"tas", "ttas", "token_ring", "ticket", "mcs", "qspinlock", "holder_preempted"}
CONTENDED = LOCKS | {"barrier", "ipi_shootdown"}
HOLD_TSC_CYCLES = 1700000  # of holder_preempted: more than two of the lab's time slices
SLICE_TSC_CYCLES = 800000
IDLE_TSC_CYCLES = 100000
# What an iteration with a lock that does nothing takes at most, in instructions (docs/guest.md).
COST_MAX = 75
DRAW_MAX = 230  # and of a random time

# Each vCPU needs 2 million cycles: less fits into a time slice, and nothing contends.
WORKLOADS = f"""
  - {{payload: [tas, ttas], vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 1500}}
  - {{payload: [token_ring, ticket, mcs, qspinlock], vcpus: 2, cpus: [0], hold_tsc_cycles: 400000,
     iterations: 6}}
  - {{payload: holder_preempted, vcpus: 2, cpus: [0], hold_tsc_cycles: {HOLD_TSC_CYCLES},
     iterations: 16, random_seed: 3}}
  - {{payload: [barrier, ipi_shootdown], vcpus: 2, cpus: [0], think_tsc_cycles: 400000,
     iterations: 6}}
  - {{payload: idle, vcpus: 2, cpus: [0], think_tsc_cycles: {IDLE_TSC_CYCLES}, iterations: 30}}
"""
ALL_PLAN = f"""
name: all
deadline_ms: 20000
params: {{ple_gap: 128, ple_window: 4096, ple_window_grow: 0}}
workloads: {WORKLOADS}
"""
PLE_OFF_PLAN = f"""
name: ple-off
deadline_ms: 20000
arms: [pause]
params: {{ple_gap: 0}}
workloads: {WORKLOADS}
"""
# Payload and relax_repeat: the least gap at which its wait loop is one for the CPU.
LOOPS = {("mcs", 1): 3, ("qspinlock", 1): 3, ("barrier", 1): 3, ("ipi_shootdown", 1): 3,
         ("tas", 1): 5, ("ttas", 64): 5}
# Bochs 3 tells all PAUSEs of a row the same time (docs/lab.md, limits): it sees one, and then a gap.
ROWS_ARE_LOOPS = lab_harness.engine_version() < (3, 0)
LOOPS_PLAN = """
name: loops-{at}
deadline_ms: 20000
arms: [pause]
params: {{ple_gap: [{below}, {at}], ple_window: 4096, ple_window_grow: 0}}
workloads: {workloads}
"""
SHORT_LOOPS = """
  - {payload: [mcs, qspinlock], vcpus: 4, cpus: [0], hold_tsc_cycles: 300000, iterations: 6}
  - {payload: [barrier, ipi_shootdown], vcpus: 2, cpus: [0], think_tsc_cycles: 400000,
     iterations: 6}
"""
LONG_LOOPS = """
  - {payload: tas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 1500}
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 1500, relax_repeat: 64}
"""
# In a row a relax instruction is as near to the next as it is long: a gap of 1 is enough.
ROW_PLAN = """
name: row
arms: [pause]
params: {ple_gap: 1, ple_window: 16, ple_window_grow: 0}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 1500,
     relax_repeat: [1, 16, 64]}
"""
DURATION_TSC_CYCLES = 3000000
DURATION_PLAN = f"""
name: duration
arms: [pause]
params: {{ple_gap: 128, ple_window: 4096, ple_window_grow: 0}}
workloads:
  - {{payload: [ttas, ticket, mcs, qspinlock, token_ring], vcpus: 3, cpus: [0],
     hold_tsc_cycles: 50000, think_tsc_cycles: 5000, think_distribution: exponential,
     duration_tsc_cycles: {DURATION_TSC_CYCLES}}}
  - {{payload: [barrier, ipi_shootdown, idle], vcpus: 3, cpus: [0], think_tsc_cycles: 50000,
     duration_tsc_cycles: {DURATION_TSC_CYCLES}}}
"""
MANY_PLAN = """
name: many
arms: [pause]
deadline_ms: 60000
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
workloads:
  - {payload: [ttas, qspinlock], vcpus: 64, cpus: [0], hold_tsc_cycles: 5000, iterations: 3}
  - {payload: [barrier, ipi_shootdown], vcpus: 64, cpus: [0], think_tsc_cycles: 5000,
     iterations: 1}
"""
OFF_PLAN = """
name: off
arms: [pause]
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
workloads:
  - {payload: [tas, mcs, qspinlock, holder_preempted], vcpus: 2, cpus: [0],
     hold_tsc_cycles: 400000, iterations: 6, interrupts_off: locking}
  - {payload: qspinlock, vcpus: 2, cpus: [0], hold_tsc_cycles: 400000, iterations: 6,
     interrupts_off: holding}
"""
COST_PLAN = """
name: cost
params: {ple_gap: 0}
workloads:
  - {payload: probe_cost, vcpus: 1, cpus: [0], iterations: [1, 101], scheduling: fifo}
"""
RANDOM_HOLDS = 10
RANDOM_MEAN = 2000
RANDOM_PLAN = f"""
name: random
params: {{ple_gap: 0}}
workloads:
  - {{payload: probe_cost, vcpus: 1, cpus: [0], iterations: {RANDOM_HOLDS}, scheduling: fifo,
     hold_tsc_cycles: {RANDOM_MEAN}, hold_distribution: exponential, random_seed: [1, 2, 3, 4]}}
"""
SCRIPT = """
sweep() {  # NAME OPTION...
  name=$1; shift
  echo "sweeping $name $*" >&2  # also keeps the limit on silence from ending a slow lab
  plectl sweep /job/$name.yaml --out /job/runs/$name --progress none "$@" >&2 || exit 1
  echo "run $name"
  cat /job/runs/$name/run.jsonl
}
mkdir /job/runs
for name in all ple_off loops3 loops5 row duration many off; do sweep $name; done
sweep cost --payload-elf /job/probe.elf
sweep random --payload-elf /job/probe.elf
"""


class Random:
    """guest_workloads/rt/random.c once more, by its description."""
    MASK = (1 << 64) - 1
    GAMMA = 0x9e3779b97f4a7c15

    @classmethod
    def mix(cls, z):
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9 & cls.MASK
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb & cls.MASK
        return z ^ (z >> 31)

    def __init__(self, seed, vcpu):
        self.state = self.mix(self.mix(seed) + vcpu * self.GAMMA & self.MASK)

    def next(self):
        self.state = self.state + self.GAMMA & self.MASK
        return self.mix(self.state)

    def exponential(self, mean):
        return -math.log((self.next() | 1) / 2 ** 64) * mean


class Payloads(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        harness = cls()
        cls.addClassCleanup(harness.doCleanups)
        harness.setUp()
        files = {"all.yaml": ALL_PLAN, "ple_off.yaml": PLE_OFF_PLAN, "row.yaml": ROW_PLAN,
                 "duration.yaml": DURATION_PLAN, "many.yaml": MANY_PLAN, "off.yaml": OFF_PLAN,
                 "cost.yaml": COST_PLAN, "random.yaml": RANDOM_PLAN,
                 "loops3.yaml": LOOPS_PLAN.format(below=2, at=3, workloads=SHORT_LOOPS),
                 "loops5.yaml": LOOPS_PLAN.format(below=4, at=5, workloads=LONG_LOOPS)}
        done = harness.lab_script(SCRIPT, "--file", f"{PROBE_GUEST}:/job/probe.elf", files=files)
        cls.runs = lab_harness.runs_of(done.stdout)

    def runTest(self):  # lets setUpClass make an instance for the harness's methods
        pass

    def trials(self, run, payload=None):
        trials = [trial for trial in self.runs[run]
                  if payload in (None, trial["workload"]["payload"])]
        self.assertTrue(trials)
        for trial in trials:
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
        return trials

    def all_trials(self, payload=None):
        return self.trials("all", payload) + self.trials("ple_off", payload)

    def test_each_vcpu_did_its_rounds_and_waited_as_often(self):
        self.assertEqual(len(self.trials("all")), 20)
        self.assertEqual(len(self.trials("ple_off")), 10)
        for run in self.runs:
            for trial in self.trials(run):
                workload = trial["workload"]
                for vcpu in trial["vcpus"]:
                    waits = sum(count for _, count in vcpu["wait_histogram"])
                    with self.subTest(run=run, payload=workload["payload"], arm=trial["arm"]):
                        self.assertEqual(waits, vcpu["acquisitions"])
                        if "iterations" in workload:
                            self.assertEqual(waits, workload["iterations"])

    def test_pause_exits_come_where_pauses_and_ple_do(self):
        for trial in self.all_trials():
            payload, gap = trial["workload"]["payload"], trial["params"]["ple_gap"]
            print(f"{payload}, {trial['arm']}, gap {gap}: {trial['pause_exits']} PAUSE exits, "
                  f"fairness {trial['fairness_jain']:.3f}, waits {trial['wait_tsc_cycles']}")
            fires = trial["arm"] == "pause" and gap != 0 and payload in CONTENDED
            with self.subTest(payload=payload, arm=trial["arm"], gap=gap):
                self.assertEqual(trial["pause_exits"] > 0, fires)
                spins = sum(vcpu.get("spins", 0) for vcpu in trial["vcpus"])
                self.assertEqual(spins > 0, payload in CONTENDED)

    def test_figures_of_the_vm_lie_where_they_can(self):
        for trial in self.all_trials():
            waits = trial["wait_tsc_cycles"]
            longest = max(vcpu.get("wait_tsc_cycles_max", 0) for vcpu in trial["vcpus"])
            with self.subTest(payload=trial["workload"]["payload"], arm=trial["arm"]):
                self.assertEqual(waits["max"], longest)
                self.assertLessEqual(waits["p50"], waits["p99"])
                self.assertLessEqual(waits["p99"], waits["p99_9"])
                self.assertLessEqual(waits["p99_9"], waits["max"])
                self.assertGreater(trial["fairness_jain"], 1 / trial["workload"]["vcpus"])
                self.assertLess(trial["fairness_jain"], 1 + 1e-9)

    def test_each_round_of_a_barrier_has_one_last_vcpu(self):
        for run in ("all", "many"):
            for trial in self.trials(run, "barrier"):
                last = sum(vcpu["extra"]["last_arrivals"] for vcpu in trial["vcpus"])
                self.assertEqual(last, trial["workload"]["iterations"])

    def test_each_vcpu_serves_every_request_of_the_others_once(self):
        for run in ("all", "many"):
            for trial in self.trials(run, "ipi_shootdown"):
                workload = trial["workload"]
                for vcpu in trial["vcpus"]:
                    self.assertEqual(vcpu["extra"]["requests_served"],
                                     (workload["vcpus"] - 1) * workload["iterations"])

    def test_long_holds_are_those_of_the_seed_and_lose_the_cpu(self):
        for trial in self.all_trials("holder_preempted"):
            workload = trial["workload"]
            for number, vcpu in enumerate(trial["vcpus"]):
                source = Random(workload["random_seed"], number)
                long = sum(source.next() % 16 == 0 for _ in range(workload["iterations"]))
                with self.subTest(arm=trial["arm"], vcpu=number):
                    self.assertEqual(vcpu["extra"]["long_holds"], long)
                    self.assertGreater(long, 0)
                    self.assertGreater(vcpu["extra"]["longest_hold_tsc_cycles"], HOLD_TSC_CYCLES)
            # A wait of much of a slice that ends: the holder was off its CPU, and came back.
            self.assertGreater(trial["wait_tsc_cycles"]["max"], SLICE_TSC_CYCLES // 2)
            self.assertGreater(sum(vcpu["involuntary_switches"] for vcpu in trial["vcpus"]), 0)

    def test_an_idle_vcpu_halts_once_per_tick(self):
        for trial in self.all_trials("idle"):
            workload = trial["workload"]
            self.assertEqual(trial["exits"]["HLT"], workload["vcpus"] * workload["iterations"])
            for vcpu in trial["vcpus"]:
                shortest = vcpu["wait_histogram"][0][0]
                self.assertGreater(shortest, 0.9 * IDLE_TSC_CYCLES)

    def test_the_wait_loops_are_as_long_as_documented(self):
        for trial in self.trials("loops3") + self.trials("loops5"):
            workload, gap = trial["workload"], trial["params"]["ple_gap"]
            repeat = workload.get("relax_repeat", 1)
            at = LOOPS[workload["payload"], repeat]
            if repeat > 1 and not ROWS_ARE_LOOPS:
                at = repeat
            with self.subTest(payload=workload["payload"], gap=gap):
                self.assertEqual(trial["pause_exits"] > 0, gap >= at, trial["pause_exits"])

    def test_relax_instructions_in_a_row_have_nothing_between_them(self):
        for trial in self.trials("row"):
            repeat = trial["workload"].get("relax_repeat", 1)
            with self.subTest(repeat=repeat):  # 16 in a row span 15 cycles: inside the window
                self.assertEqual(trial["pause_exits"] > 0, repeat == 64 and ROWS_ARE_LOOPS,
                                 trial["pause_exits"])
                for vcpu in trial["vcpus"]:
                    self.assertEqual(vcpu.get("spins", 0) % repeat, 0)

    def test_a_duration_is_what_each_vcpu_goes_on_for(self):
        for trial in self.trials("duration"):
            payload = trial["workload"]["payload"]
            rounds = [vcpu["acquisitions"] for vcpu in trial["vcpus"]]
            print(f"{payload}: {rounds} rounds in {DURATION_TSC_CYCLES} cycles")
            with self.subTest(payload=payload):
                if payload in ("barrier", "token_ring"):
                    self.assertEqual(len(set(rounds)), 1)
                    continue
                for vcpu in trial["vcpus"]:
                    self.assertGreaterEqual(vcpu["tsc_end"] - vcpu["tsc_start"],
                                            DURATION_TSC_CYCLES)

    def test_64_vcpus_run(self):
        self.assertEqual([len(trial["vcpus"]) for trial in self.trials("many")], [64] * 4)

    def test_locks_run_with_interrupts_off(self):
        self.assertEqual(len(self.trials("off")), 5)

    def test_an_acquisition_costs_what_is_documented_in_both_arms(self):
        elapsed = {(trial["arm"], trial["workload"]["iterations"]): trial["elapsed_tsc_cycles"]
                   for trial in self.trials("cost") if "EXTERNAL_INTERRUPT" not in trial["exits"]}
        costs = [(elapsed[arm, 101] - elapsed[arm, 1]) / 100 for arm in ("pause", "nop")
                 if (arm, 101) in elapsed and (arm, 1) in elapsed]
        print(f"instructions of an iteration with a lock that does nothing: {costs}")
        self.assertTrue(costs)
        self.assertEqual(len(set(costs)), 1)
        self.assertLessEqual(costs[0], COST_MAX)

    def test_random_holds_are_those_of_the_seed(self):
        undisturbed = 0
        for trial in self.trials("random"):
            if "EXTERNAL_INTERRUPT" in trial["exits"]:
                continue
            undisturbed += 1
            source = Random(trial["workload"].get("random_seed", 1), 0)
            held = sum(source.exponential(RANDOM_MEAN) for _ in range(RANDOM_HOLDS))
            more = trial["elapsed_tsc_cycles"] - held
            with self.subTest(arm=trial["arm"], workload=trial["workload"]):
                self.assertGreater(more, 0)
                self.assertLess(more, RANDOM_HOLDS * (COST_MAX + DRAW_MAX))
        self.assertGreaterEqual(undisturbed, 3)


if __name__ == "__main__":
    lab_harness.main()
