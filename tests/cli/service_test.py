#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/plectl-restore.service: systemd takes it, it runs before any VM can start, and plectl takes
its command line."""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import restore_unit  # noqa: E402

PLECTL = os.environ["PLECTL"]
# What starts VMs by itself at boot.
STARTERS = {"libvirtd.service", "virtqemud.service", "libvirt-guests.service", "pve-guests.service",
            "containerd.service", "firecracker.service", "incus.service", "nova-compute.service"}


class RestoreService(unittest.TestCase):
    unit = restore_unit.settings()

    def words(self, name):
        return {word for value in self.unit[name] for word in value.split()}

    def test_it_runs_once_before_vms_and_after_the_disks(self):
        self.assertLessEqual(STARTERS, self.words("Before"))
        self.assertLessEqual({"local-fs.target", "systemd-modules-load.service"},
                             self.words("After"))
        self.assertEqual(self.unit["Type"], ["oneshot"])
        self.assertEqual(self.unit["ConditionPathExists"], ["/var/lib/plectl/params.journal.json"])
        self.assertEqual(self.unit["WantedBy"], ["multi-user.target"])

    def test_it_may_write_where_the_journal_is_and_load_modules(self):
        self.assertIn("/var/lib/plectl", self.words("ReadWritePaths"))
        self.assertIn("CAP_SYS_MODULE", self.words("CapabilityBoundingSet"))

    def test_plectl_takes_its_command_line(self):
        self.assertEqual(len(self.unit["ExecStart"]), 1)
        program, *arguments = shlex.split(self.unit["ExecStart"][0])
        self.assertEqual(program, restore_unit.INSTALLED_PLECTL)
        self.assertEqual(arguments[:2], ["params", "restore"])
        with tempfile.TemporaryDirectory() as empty_host:
            done = subprocess.run([PLECTL, "--host-root", empty_host, *arguments, "--dry-run"],
                                  text=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stdout), (0, "nothing to restore\n"), done.stderr)

    def test_systemd_takes_it(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze here: only what the other tests look at was checked")
        with tempfile.TemporaryDirectory() as directory:
            # It wants the program to be there, which need not be installed here.
            text = restore_unit.FILE.read_text().replace(restore_unit.INSTALLED_PLECTL,
                                                         str(pathlib.Path(PLECTL).resolve()))
            copy = pathlib.Path(directory, restore_unit.FILE.name)
            copy.write_text(text)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], text=True,
                                  capture_output=True, stdin=subprocess.DEVNULL)
        # What it ignores it only prints, with exit code 0.
        lines = [line for line in (done.stdout + done.stderr).splitlines()
                 if restore_unit.FILE.name in line]
        self.assertEqual((done.returncode, lines), (0, []), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
