#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/guest_spinlock in the lab, which brings the library it needs along: real guests, exact
counts, Google Benchmark's JSON."""

import json
import os
import pathlib

import lab_harness

GUEST_SPINLOCK = pathlib.Path(os.environ.get(
    "PLECTL_GUEST_SPINLOCK", lab_harness.SOURCE / "build/release/bench/guest_spinlock"))
ITERATIONS, HOLD_TSC_CYCLES, PAUSES = 100, 50000, 3000000
# Each vCPU needs more than one time slice, else nothing contends.
assert min(ITERATIONS * HOLD_TSC_CYCLES, PAUSES) > 2000000


class BenchInLab(lab_harness.LabTest):
    def measure(self, payloads):
        """{(payload, arm): the benchmark's entry}."""
        # Small enough for a lab that is resumed from its snapshot.
        stripped = self.directory / "guest_spinlock"
        lab_harness.subprocess.run(["strip", "-o", stripped, GUEST_SPINLOCK], check=True)
        done = self.plectl("lab", "exec", "--file", stripped, "--", "./guest_spinlock",
                           "--benchmark_format=json", "--benchmark_min_time=0.001",
                           f"--benchmark_filter=/({'|'.join(payloads)})/",
                           "--guest_vcpus=2", f"--guest_iterations={ITERATIONS}",
                           f"--guest_hold_tsc_cycles={HOLD_TSC_CYCLES}", f"--guest_pauses={PAUSES}")
        results = json.loads(done.stdout)
        self.assertIn("ple_gap=128 ple_window=4096", results["context"]["kvm_intel"])
        self.assertIn("not silicon", results["context"]["lab"])
        self.assertIn("bpf-exit", results["context"]["observers"])
        return {tuple(entry["name"].split("/")[1:3]): entry for entry in results["benchmarks"]}

    def check_common(self, entry, work):
        self.assertNotIn("error_occurred", entry, entry)
        self.assertEqual(entry["time_unit"], "ms")
        self.assertGreaterEqual(entry["exits_total"], entry["pause_exits"])
        seconds = entry["real_time"] / 1e3
        self.assertAlmostEqual(entry["throughput_per_s"] * seconds / work, 1, places=6)
        self.assertAlmostEqual(entry["pause_exits_per_s"] * seconds, entry["pause_exits"], places=3)

    def test_locks_and_ring_3(self):
        entries = self.measure(["ttas", "ticket", "user_pause_loop"])
        self.assertEqual(len(entries), 9)
        for (payload, arm), entry in entries.items():
            with self.subTest(payload=payload, arm=arm):
                self.check_common(entry, 2 * (PAUSES if payload == "user_pause_loop" else ITERATIONS))
                if arm != "pause" or payload == "user_pause_loop":  # Intel looks at CPL 0 only
                    self.assertEqual(entry["pause_exits"], 0)
                else:
                    self.assertGreater(entry["pause_exits"], 0)
                    self.assertTrue(0.5 <= entry["fairness_jain"] <= 1, entry)
        # Without PAUSE exits each handover of the fair lock costs a time slice.
        self.assertGreater(entries["ticket", "nop"]["real_time"],
                           3 * entries["ticket", "pause"]["real_time"])
        print({key: (entry["real_time"], entry["pause_exits"]) for key, entry in entries.items()})


if __name__ == "__main__":
    lab_harness.main()
