#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory limits of child processes on a kernel with cgroup v2: the unit tests that need one, in the
lab, where plectl's own shared libraries are all that a test needs."""

import os
import pathlib

import lab_harness

BASE_TEST = pathlib.Path(os.environ.get(
    "PLECTL_BASE_TEST", lab_harness.SOURCE / "build/release/tests/unit/base/base_test"))
# The flood of output wants more memory than the lab has.
SCRIPT = """
cd /tmp
PLECTL_EXPECT_CGROUP=1 /job/base_test --gtest_color=no --gtest_filter='Memory*:HostileChild.*-*Flood*'
echo "root $?"
ls /sys/fs/cgroup | grep -c plectl
mkdir -p /sys/fs/cgroup/slice/scope
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
echo +memory > /sys/fs/cgroup/slice/cgroup.subtree_control
echo $$ > /sys/fs/cgroup/slice/scope/cgroup.procs
PLECTL_EXPECT_CGROUP=1 /job/base_test --gtest_color=no --gtest_filter='Memory*'
echo "beside $?"
ls /sys/fs/cgroup/slice | grep -c plectl
echo 1G > /sys/fs/cgroup/slice/scope/memory.max
/job/base_test --gtest_color=no --gtest_filter='MemoryLimit.*:MemoryCgroups.ANormal*'
echo "limited $?"
"""


class ChildInLab(lab_harness.LabTest):
    def test_cgroup_limits(self):
        # The binary has debug information that the lab has no room for.
        stripped = self.directory / "base_test"
        lab_harness.subprocess.run(["strip", "-o", stripped, BASE_TEST], check=True)
        self.write("script.sh", SCRIPT)
        done = self.plectl("lab", "exec", "--file", f"{stripped}:/job/base_test",
                           "--file", "script.sh:/job/script.sh", "--", "sh", "/job/script.sh")
        lines = done.stdout.splitlines()
        for line in ("root 0", "beside 0", "limited 0"):
            self.assertIn(line, lines, done.stdout)
        self.assertEqual(lines[lines.index("root 0") + 1], "0", "a cgroup was left")
        self.assertEqual(lines[lines.index("beside 0") + 1], "0", "a cgroup was left")
        skipped = [line for line in lines[:lines.index("beside 0")] if "SKIPPED" in line]
        self.assertEqual(skipped, [])
        self.assertIn("would escape its memory.max", done.stdout)


if __name__ == "__main__":
    lab_harness.main()
