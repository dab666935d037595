#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What plectl does when its output cannot be written: a full disk, a reader that has gone, a
descriptor that is closed. Usage: streams_test.py PLECTL"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PLECTL = os.path.abspath(sys.argv.pop(1))
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = SOURCE / "tests/fixtures"
DOCTOR = f"{PLECTL} --host-root {FIXTURES}/hosts/intel_ple doctor"
RUN = next(path for path in sorted((FIXTURES / "runs").iterdir()) if path.is_dir())


def shell(command, **options):
    return subprocess.run(["bash", "-c", command], text=True, capture_output=True, timeout=60,
                          **options)


class Streams(unittest.TestCase):
    def check_full(self, command):
        done = shell(f"{command} >/dev/full")
        self.assertEqual(done.returncode, 3, f"{command}: {done.stderr}")
        self.assertIn("write to stdout: No space left on device", done.stderr)
        self.assertIn("make room on the disk", done.stderr)

    def test_a_full_disk_is_said(self):
        for command in (DOCTOR, f"{PLECTL} --help", f"{PLECTL} sweep --help", f"{PLECTL} --version",
                        f"{PLECTL} --host-root {FIXTURES}/hosts/intel_ple params show"):
            self.check_full(command)

    def test_a_full_disk_is_said_by_every_reader_of_runs(self):
        for rest in ("report", "report --format csv", "report --format json",
                     "export --to gbench", "export --to textfile -"):
            words = rest.split()
            done = shell(f"{PLECTL} {words[0]} {RUN} {' '.join(words[1:])} >/dev/full")
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("internal error", done.stderr)

    def test_a_reader_that_has_gone_gets_no_complaint(self):
        done = shell(f"{PLECTL} --help | true; echo ${{PIPESTATUS[0]}}")
        self.assertEqual(done.stdout, "3\n")
        self.assertEqual(done.stderr, "")

    def test_a_full_stderr_ends_nothing(self):
        done = shell(f"{PLECTL} --host-root {FIXTURES}/hosts/no_kvm params show 2>/dev/full")
        self.assertEqual(done.returncode, 3)

    def test_closed_descriptors_are_no_files_of_ours(self):
        with tempfile.TemporaryDirectory() as folder:
            for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
                done = shell(f"{PLECTL} nonsense {closed}", cwd=folder)
                self.assertEqual(done.returncode, 2, closed)
                done = shell(f"{DOCTOR} 1>&-", cwd=folder)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("stdout is closed", done.stderr)
            self.assertEqual(os.listdir(folder), [])

    def test_a_small_stack_is_raised_or_an_error(self):
        for limit in (64, 128):
            done = shell(f"ulimit -s {limit}; {DOCTOR}")
            self.assertIn(done.returncode, (0, 1, 3), done.stderr)
            self.assertNotIn("Segmentation", done.stderr)
        # Who is not root may not raise it; the build tree may be closed to him.
        nobody = f"setpriv --reuid 65534 --clear-groups {PLECTL} --version"
        if os.geteuid() == 0 and shell(nobody).returncode == 0:
            done = shell(f"ulimit -s 64; {nobody}")
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("the stack limit of 64 KiB is too small", done.stderr)

    def test_output_to_a_limited_file_is_an_error_not_a_signal(self):
        with tempfile.TemporaryDirectory() as folder:
            done = shell(f"ulimit -f 0; {DOCTOR} >out", cwd=folder)
            self.assertEqual(done.returncode, 3)
            self.assertIn("write to stdout: File too large", done.stderr)


if __name__ == "__main__":
    unittest.main()
