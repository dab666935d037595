#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Under a sched_ext scheduler without ops.yield each directed yield is refused, and plectl says so: doctor,
the manifest, and what becomes of the yields. With ops.yield it is another scheduler. Linux 7.2 is the
first of Debian's cloud kernels with sched_ext."""

import json
import os

import lab_harness

KERNEL = os.environ.get("PLECTL_TEST_KERNELS", "sid").split()[0]
PLAN = """
name: few
arms: [pause]
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
workloads:
  - {payload: token_ring, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 5}
"""
SCRIPT = """
for scheduler in plain yielding; do
  ./scx_plain scx_plain.bpf.o $scheduler sh -c '
    plectl doctor --format json >doctor.json
    plectl sweep few.yaml --out '$scheduler' --observe directed_yields --progress none >&2'
  test $? = 125 && exit 1
  echo "run $scheduler"
  tr -d "\\n" <doctor.json
  echo
  cat $scheduler/run.jsonl
done
exit 0
"""


class SchedExt(lab_harness.LabTest):
    def test_a_scheduler_without_yield_is_known(self):
        done = self.plectl(
            "lab", "exec", "--lab-kernel", KERNEL, "--lab-boot-deadline-s", "1500",
            "--lab-silence-deadline-s", "1200", "--file", os.environ["PLECTL_SCX_PLAIN"], "--file",
            os.environ["PLECTL_SCX_PLAIN_OBJECT"], "--file", self.write("few.yaml", PLAN), "--file",
            self.write("script.sh", SCRIPT), "--", "sh", "script.sh", timeout_s=1400)
        plain, yielding = (self.records(part) for part in ("\n" + done.stdout).split("\nrun ")[1:])
        self.check(plain, "plectl_plain", "no", "warning")
        self.check(yielding, "plectl_yielding", "yes", "ok")
        for trial in (record for record in plain if record.get("kind") == "trial" and record["valid"]):
            yields = [vcpu["directed_yields"] for vcpu in trial["vcpus"]]
            self.assertGreater(trial["pause_exits"], 0)
            self.assertEqual(sum(of["succeeded"] for of in yields), 0, yields)

    def records(self, part):
        return [json.loads(line) for line in part.splitlines() if line.startswith("{")]

    def check(self, records, name, has_yield, verdict):
        checks = {check["id"]: check for check in records[0]["checks"]}
        self.assertEqual(checks["directed_yield"]["verdict"], verdict)
        self.assertIn(name, checks["directed_yield"]["seen"])
        scheduler = next(record for record in records
                         if record.get("kind") == "manifest")["host"]["scheduler"]
        self.assertEqual((scheduler["sched_ext"], scheduler["sched_ext_yields"]), (name, has_yield))


if __name__ == "__main__":
    lab_harness.main()
