#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lab that panics or hangs is ended by plectl, with the last console lines; exit codes come out."""

import lab_harness


class Failure(lab_harness.LabTest):
    def test_exit_code_and_output_of_the_job_come_out(self):
        # A program that was brought along is found by its name alone.
        self.write("brought", "#!/bin/sh\necho out\necho err >&2\nexit 7\n").chmod(0o755)
        done = self.plectl("lab", "exec", "--file", "brought", "--", "brought", exit_code=7)
        self.assertEqual(done.stdout, "out\n")
        self.assertIn("err\n", done.stderr)

    def test_a_panic_ends_the_lab_and_shows_the_console(self):
        done = self.plectl("lab", "exec", "--", "sh", "-c", "echo c > /proc/sysrq-trigger",
                           exit_code=5, timeout_s=300)
        self.assertIn("Kernel panic", done.stderr)

    def test_a_silent_lab_is_ended_by_its_deadline(self):
        done = self.plectl("lab", "exec", "--lab-silence-deadline-s", "15", "--", "sh", "-c",
                           "echo still-here > /dev/kmsg; while :; do :; done",
                           exit_code=5, timeout_s=300)
        self.assertRegex(done.stderr, "15 s")

    def test_a_script_that_fills_its_lab_is_told_so(self):
        done = self.lab_script("free=$(stat -f -c %a /job); head -c $(((free - 256) * 4096)) /dev/zero "
                               ">/job/filler", exit_code=75)
        self.assertIn("give --lab-memory-mib", done.stderr)


if __name__ == "__main__":
    lab_harness.main()
