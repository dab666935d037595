#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/quickstart prints its table, from another folder and beside a process on port 5900."""

import subprocess
import time

import lab_harness


class Quickstart(lab_harness.LabTest):
    def test_prints_the_table(self):
        self.occupy_display_port()
        start_s = time.monotonic()
        done = subprocess.run([lab_harness.SOURCE / "scripts/quickstart"], cwd=self.directory,
                              text=True, capture_output=True, timeout=lab_harness.TIMEOUT_S, check=False)
        print(f"scripts/quickstart: {time.monotonic() - start_s:.0f} s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "PAUSE exits")
        self.assertTrue((lab_harness.SOURCE / "results/quickstart/run.jsonl").exists())


if __name__ == "__main__":
    lab_harness.main()
