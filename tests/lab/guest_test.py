#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the payloads are, to the instruction: loop lengths, padding, ring 3, the interrupt flag.

PLECTL_PROBE_GUEST is the payload ELF that tells what it finds (tests/payloads/probe.c).
"""

import os

import lab_harness

PROBE_GUEST = os.environ.get(
    "PLECTL_PROBE_GUEST", lab_harness.SOURCE / "build/release/tests/payloads/plectl_probe_guest")
TURNS = 120000 if lab_harness.FULL else 24000
PADDINGS = [40, 64, 140]  # whose gap boundary is measured
LENGTH_PADDINGS = [0, 4, 140, 1027]  # whose loop lengths are measured
BODY_LOOPS = 5
WINDOWS = [*range(10), 100, 1000, 4096]

CLOSED_FORM_PLAN = f"""
name: closed-form
arms: [pause]
params: {{ple_gap: 128, ple_window: {WINDOWS}, ple_window_grow: 0}}
workloads:
  - {{payload: pause_loop, vcpus: 1, cpus: [0], iterations: {TURNS}, scheduling: fifo}}
"""
# Without PAUSE exits: the difference of the two is 100 turns, shorter than a timer tick.
LENGTH_PLAN = f"""
name: length
params: {{ple_gap: 0}}
workloads:
  - {{payload: [pause_loop, user_pause_loop], vcpus: 1, cpus: [0], iterations: [1, 101],
      body_loops: [0, {BODY_LOOPS}], scheduling: fifo}}
  - {{payload: pause_storm, vcpus: 1, cpus: [0], iterations: 5000, scheduling: fifo}}
"""
GAP_PLAN = """
name: gap-{padding}
arms: [pause]
params: {{ple_gap: [{below}, {at}], ple_window: 4096, ple_window_grow: 0}}
workloads:
  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 3000}}
"""
RING_3_PLAN = """
name: ring-3
params: {ple_gap: 128, ple_window: 1000, ple_window_grow: 0}
workloads:
  - {payload: [pause_loop, user_pause_loop], vcpus: [1, 2], cpus: [0], iterations: 100000}
"""
INTERRUPTS_PLAN = """
name: interrupts
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
arms: [pause]
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 3000,
     interrupts_off: [never, holding, locking]}
  - {payload: ticket, vcpus: 2, cpus: [0], hold_tsc_cycles: 20000, iterations: 300,
     interrupts_off: locking}
  - {payload: [pause_loop, pause_storm], vcpus: 1, cpus: [0], iterations: 100000,
     interrupts_off: [never, locking]}
"""
PROBE_PLAN = """
name: probe
params: {ple_gap: 128}
arms: [pause]
workloads:
  - {payload: probe_lock, vcpus: 1, cpus: [0], iterations: 10,
     interrupts_off: [never, holding, locking]}
  - {payload: probe_spinner, vcpus: 1, cpus: [0], iterations: 1, interrupts_off: [never, locking]}
  - {payload: probe_user, vcpus: 1, cpus: [0], iterations: 1}
"""
AMD_PLAN = """
name: amd
params: {pause_filter_count: 3000}
workloads:
  - {payload: [pause_loop, user_pause_loop], vcpus: [1, 2], cpus: [0], iterations: 100000}
"""
SCRIPT = """
sweep() {  # NAME OPTION...
  name=$1; shift
  echo "sweeping $name $*" >&2  # also keeps the limit on silence from ending a slow lab
  plectl sweep /job/$name.yaml --out /job/runs/$name --progress none "$@" >&2 || exit 1
}
mkdir /job/runs
sweep closed
sweep ring3
sweep interrupts
sweep probe --payload-elf /job/probe.elf
for padding in %(lengths)s; do
  sweep length --relax-tsc-cycles $padding && mv /job/runs/length /job/runs/length$padding
done
for padding in %(gaps)s; do
  sweep gap$padding --relax-tsc-cycles $padding
done
for run in /job/runs/*; do echo "run $(basename $run)"; cat $run/run.jsonl; done
"""


def words(numbers):
    return " ".join(map(str, numbers))


class Guest(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        harness = cls()
        cls.addClassCleanup(harness.doCleanups)
        harness.setUp()
        files = {"closed.yaml": CLOSED_FORM_PLAN, "ring3.yaml": RING_3_PLAN,
                 "interrupts.yaml": INTERRUPTS_PLAN, "probe.yaml": PROBE_PLAN,
                 "length.yaml": LENGTH_PLAN}
        for padding in PADDINGS:
            files[f"gap{padding}.yaml"] = GAP_PLAN.format(padding=padding, below=padding + 1,
                                                          at=padding + 2)
        script = SCRIPT % {"lengths": words(LENGTH_PADDINGS), "gaps": words(PADDINGS)}
        done = harness.lab_script(script, "--file", f"{PROBE_GUEST}:/job/probe.elf", files=files)
        cls.runs = lab_harness.runs_of(done.stdout)

    def runTest(self):  # lets setUpClass make an instance for the harness's methods
        pass

    def trials(self, run):
        self.assertTrue(self.runs[run])
        for trial in self.runs[run]:
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
            self.assertNotIn("EPT_VIOLATION", trial["exits"])  # all pages were touched before
        return self.runs[run]

    def test_pause_loop_exits_as_the_closed_form_says(self):
        for trial in self.trials("closed"):
            window = trial["params"]["ple_window"]
            expected = TURNS // (window // 3 + 2)
            # A timer tick opens the loop anew.
            ticks = trial["exits"].get("EXTERNAL_INTERRUPT", 0)
            print(f"window {window}: {trial['pause_exits']} PAUSE exits, closed form {expected}, "
                  f"{ticks} ticks")
            with self.subTest(window=window):
                self.assertLessEqual(trial["pause_exits"], expected)
                self.assertGreaterEqual(trial["pause_exits"], expected - ticks)
                self.assertEqual(trial["vcpus"][0]["spins"], TURNS)
        self.assertEqual(len(self.trials("closed")), len(WINDOWS))

    def loop_length(self, padding, payload, arm, body_loops):
        """Ticks of one turn, from two runs; None when a timer tick fell into one of them."""
        elapsed = {}
        for trial in self.trials(f"length{padding}"):
            workload = trial["workload"]
            if (workload["payload"], trial["arm"], workload["body_loops"]) != \
                    (payload, arm, body_loops):
                continue
            self.assertLessEqual(set(trial["exits"]), {"IO_INSTRUCTION", "EXTERNAL_INTERRUPT"})
            if "EXTERNAL_INTERRUPT" in trial["exits"]:
                return None
            elapsed[workload["iterations"]] = trial["elapsed_tsc_cycles"]
        return (elapsed[101] - elapsed[1]) / 100

    def test_a_turn_is_as_many_instructions_as_documented(self):
        interrupted = measured = 0
        for padding in LENGTH_PADDINGS:
            for arm, relax in (("pause", 1), ("nop", 2)):
                for body_loops in (0, BODY_LOOPS):
                    expected = (padding or relax) + 2 + (1 + 2 * body_loops if body_loops else 0)
                    for payload in ("pause_loop", "user_pause_loop"):
                        length = self.loop_length(padding, payload, arm, body_loops)
                        interrupted += length is None
                        measured += length is not None
                        if length is None:
                            continue
                        with self.subTest(padding=padding, arm=arm, body_loops=body_loops,
                                          payload=payload):
                            self.assertEqual(length, expected)
        self.assertLess(interrupted, measured / 5)

    def test_the_storms_interval_grows_by_the_padding(self):
        for padding in LENGTH_PADDINGS:
            for trial in self.trials(f"length{padding}"):
                if trial["workload"]["payload"] != "pause_storm":
                    continue
                relax = padding or (1 if trial["arm"] == "pause" else 2)
                with self.subTest(padding=padding, arm=trial["arm"]):
                    interval = trial["vcpus"][0]["extra"]["pause_interval_tsc_cycles"]
                    self.assertEqual(interval, relax + 8)

    def test_padding_moves_the_gap_boundary(self):
        for padding in PADDINGS:
            exits = {trial["params"]["ple_gap"]: trial["pause_exits"]
                     for trial in self.trials(f"gap{padding}")}
            print(f"padding {padding}: PAUSE exits by gap {exits}")
            with self.subTest(padding=padding):
                self.assertEqual(exits[padding + 1], 0)
                self.assertGreater(exits[padding + 2], 0)

    def test_ring_3_makes_no_pause_exits(self):
        for trial in self.trials("ring3"):
            workload = trial["workload"]
            with self.subTest(arm=trial["arm"], **workload):
                for vcpu in trial["vcpus"]:
                    self.assertEqual(vcpu["spins"], workload["iterations"])
                if (workload["payload"], trial["arm"]) == ("pause_loop", "pause"):
                    self.assertGreater(trial["pause_exits"], 250 * workload["vcpus"])
                else:
                    self.assertEqual(trial["pause_exits"], 0)

    # That each trial is valid is the proof of mutual exclusion: the host checks the counter.
    def test_pause_exits_end_spins_whatever_the_interrupt_flag_is(self):
        for trial in self.trials("interrupts"):
            workload = trial["workload"]
            word = workload.get("interrupts_off", "never")
            print(f"{workload['payload']} interrupts_off={word}: {trial['pause_exits']} PAUSE "
                  f"exits, {trial['exits'].get('EXTERNAL_INTERRUPT', 0)} EXTERNAL_INTERRUPT")
            with self.subTest(payload=workload["payload"], word=word):
                self.assertGreater(trial["pause_exits"], 0)

    def test_the_interrupt_flag_is_what_the_plan_says(self):
        found = {}
        for trial in self.trials("probe"):
            workload = trial["workload"]
            extra = trial["vcpus"][0]["extra"]
            found[workload["payload"], workload.get("interrupts_off", "never")] = (
                extra["on_in_acquire"], extra["on_in_release"], extra["on_after"],
                extra["privilege_level"])
        self.assertEqual(found, {
            ("probe_lock", "never"): (10, 10, 1, 0),
            ("probe_lock", "holding"): (10, 0, 1, 0),
            ("probe_lock", "locking"): (0, 0, 1, 0),
            ("probe_spinner", "never"): (1, 0, 0, 0),
            ("probe_spinner", "locking"): (0, 0, 0, 0),
            ("probe_user", "never"): (1, 0, 1, 3),
        })


class GuestOnAmd(lab_harness.LabTest):
    def test_both_rings_run_there_too(self):
        trials = self.sweep_in_lab(AMD_PLAN, "--lab-cpu", "amd")
        self.assertEqual(len(trials), 8)
        for trial in trials:
            self.assertEqual(trial["pause_exits"], 0)
            for vcpu in trial["vcpus"]:
                self.assertEqual(vcpu["spins"], 100000)


if __name__ == "__main__":
    lab_harness.main()
