#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""With the defaults a window doubles itself out of use: 20 updates from 4096 to UINT_MAX, then
silence. It takes 2^32 TSC cycles in which no interrupt lets the CPU count anew, so the spinner has a
CPU without a timer tick (nohz_full) for itself; where there is a tick, it is over after 8.

The engine of scripts/newer-engine lets time pass while one of its CPUs is halted: 9.5 cycles per turn
of the loop. In the packaged one a turn is 3, which takes a minute more: under PLECTL_TEST_FULL=1."""

import lab_harness

KERNEL_ARGUMENTS = "nohz_full=1 isolcpus=1"
UINT_MAX = 2**32 - 1
TRAJECTORY = [4096 << update for update in range(20)] + [UINT_MAX]
SILENCE_TSC_CYCLES = 100_000_000  # in which the first window would have ended 24,000 times
PLAN = """
name: extinction
arms: [pause]
deadline_ms: 60000
params: {{ple_gap: 128, ple_window: 4096, ple_window_grow: 2, ple_window_shrink: 0,
         ple_window_max: 4294967295}}
workloads:
  - {{payload: pause_loop, vcpus: 1, cpus: [1], iterations: {turns}}}
  - {{payload: pause_loop, vcpus: 1, cpus: [0], iterations: 3000000, scheduling: fifo}}
"""
SCRIPT = """
plectl sweep /job/plan.yaml --out /job/run --check-observer every-trial --progress none >&2 || exit
cat /job/run/run.jsonl
"""


class Extinction(lab_harness.LabTest):
    def sweep(self, turns, *options):
        """The trials of a lab with a CPU of either kind: on the tickless one, on the ticking one."""
        # Cold: a snapshot of this lab would not be used again, and push out one that is.
        done = self.lab_script(SCRIPT, "--lab-start", "cold", "--lab-cpus", 2,
                               "--lab-kernel-args", KERNEL_ARGUMENTS,
                               "--lab-silence-deadline-s", 600, *options,
                               files={"plan.yaml": PLAN.format(turns=turns)})
        trials = lab_harness.trials_of(done.stdout)
        self.assertEqual(len(trials), 2)
        for trial in trials:
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
        return sorted(trials, key=lambda trial: trial["workload"]["cpus"], reverse=True)

    def check_trajectory(self, trial, windows):
        """The window takes these values one after the other, each after it has gone by; every PAUSE
        exit, by two observers, is one of these steps."""
        steps = list(zip(windows, windows[1:]))
        window = trial["vcpus"][0]["window"]
        self.assertEqual([(old, new) for _, old, new in window["track"]], steps)
        self.assertEqual([trial[key] for key in ("pause_exits", "pause_exits_check",
                                                 "window_growths", "window_shrinks")],
                         [len(steps), len(steps), len(steps), 0])
        self.assertEqual(window["last"], windows[-1])
        last = 0
        for time_ns, old, _ in window["track"]:
            time_tsc_cycles = time_ns * trial["tsc_khz"] // 1_000_000
            self.assertGreaterEqual(time_tsc_cycles - last, old * 0.999)
            last = time_tsc_cycles
        return last

    def check_extinction(self, turns, *options):
        tickless, ticking = self.sweep(turns, *options)
        over = self.check_trajectory(tickless, TRAJECTORY)
        self.assertEqual(tickless["noise"]["irqs"]["timer"], 0)
        silence = tickless["elapsed_tsc_cycles"] - over
        self.assertGreater(silence, SILENCE_TSC_CYCLES)
        print(f"20 updates in {over} TSC cycles, {over / sum(TRAJECTORY[:-1]):.4f} of the windows' "
              f"sum, then none for {silence}; {tickless['exits']}")
        self.check_trajectory(ticking, TRAJECTORY[:9])
        self.assertGreater(ticking["exits"]["EXTERNAL_INTERRUPT"], 8)

    def test_20_updates_then_silence(self):
        self.check_extinction(480_000_000, "--lab-engine", self.newer_engine())

    def test_20_updates_then_silence_in_the_packaged_engine(self):
        if not lab_harness.FULL:
            self.skipTest("a minute and a half more: PLECTL_TEST_FULL=1")
        self.check_extinction(1_500_000_000)


if __name__ == "__main__":
    lab_harness.main()
