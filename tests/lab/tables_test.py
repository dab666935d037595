#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gap and window tables that docs/lab_tables.md shows, against those of another, smaller VMM on the
same emulator. What only counting decides is exact; what an exit costs is within a tolerance."""

import lab_harness

SHIPPED_PLAN = lab_harness.SOURCE / "bench/plans/lab_tables.yaml"
GAP_PLAN = """
name: gap-table
seed: 4
params: {ple_gap: [0, 1, 2, 3, 4, 8, 128], ple_window: 4096, ple_window_grow: 2}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 3917, iterations: 2000}
"""
LOOP_TSC_CYCLES = 3  # pause, cmp, loopne
SLICE_TSC_CYCLES = 800000  # a timer tick: 200 MHz, HZ=250
SLICES = 100  # that a waiter loses in the reference table
# PAUSE exits of the other VMM with a fixed window.
REFERENCE_FIXED = {256: 25779, 512: 24087, 1024: 20641, 2048: 16482, 4096: 11607, 8192: 7217,
                   16384: 4119, 32768: 2239, 65536: 1130}
# A fixed window's count is slice / (window + cost of an exit), and the cost is that of the VMM, its
# observers and the kernel's path: it weighs most where the window is shortest.
FIXED_TOLERANCE = 0.06
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")


def exits_per_slice(window):
    """Doublings from `window` on that fit in a time slice: none is longer than half of it."""
    exits = 0
    while window * (2 ** (exits + 1) - 1) < SLICE_TSC_CYCLES:
        exits += 1
    return exits


def lost_slices(trial):
    """Time slices in which a vCPU waited: it waits as long again while the holder has its slice."""
    waited = sum(vcpu.get("wait_tsc_cycles_total", 0) for vcpu in trial["vcpus"])
    return waited / (2 * SLICE_TSC_CYCLES)


class Tables(lab_harness.LabTest):
    def check_doubling(self, trial):
        """Each slice that a waiter loses begins with the base window and ends `exits_per_slice` exits
        later; the first and the last slice may be cut short."""
        expected = exits_per_slice(trial["params"]["ple_window"])
        slices = trial["window_shrinks"]  # the window is reset when the vCPU is scheduled anew
        self.assertEqual(trial["window_growths"], trial["pause_exits"])
        self.assertAlmostEqual(slices, lost_slices(trial), delta=4)
        self.assertLessEqual(trial["pause_exits"], expected * (slices + 1))
        self.assertGreaterEqual(trial["pause_exits"], expected * (slices - 2))

    def test_the_gap_boundary_is_exact(self):
        trials = self.sweep_in_lab(GAP_PLAN, *PATIENCE)
        self.assertEqual(len(trials), 14)
        for trial in sorted(trials, key=lambda trial: trial["params"]["ple_gap"]):
            gap = trial["params"]["ple_gap"]
            print(f"gap {gap}, {trial['arm']}: {trial['pause_exits']} PAUSE exits")
            with self.subTest(gap=gap, arm=trial["arm"]):
                if trial["arm"] == "pause" and gap >= LOOP_TSC_CYCLES:
                    self.assertGreater(trial["pause_exits"], 0)
                    self.check_doubling(trial)
                else:
                    self.assertEqual(trial["pause_exits"], 0)
                    self.assertEqual(trial["window_updates"], 0)

    def test_the_window_tables(self):
        trials = self.sweep_in_lab(SHIPPED_PLAN.read_text(), *PATIENCE)
        self.assertEqual(len(trials), 2 * len(REFERENCE_FIXED))
        for trial in sorted(trials, key=lambda trial: trial["params"]["ple_window"]):
            params = trial["params"]
            print(f"window {params['ple_window']}, grow {params['ple_window_grow']}: "
                  f"{trial['pause_exits']} PAUSE exits in {lost_slices(trial):.1f} lost slices")
            with self.subTest(**params):
                if params["ple_window_grow"] == 2:
                    self.check_doubling(trial)
                else:
                    self.check_fixed(trial)

    def check_fixed(self, trial):
        self.assertEqual(trial["window_updates"], 0)
        reference = REFERENCE_FIXED[trial["params"]["ple_window"]] / SLICES
        per_slice = trial["pause_exits"] / lost_slices(trial)
        self.assertAlmostEqual(per_slice, reference, delta=FIXED_TOLERANCE * reference)


if __name__ == "__main__":
    lab_harness.main()
