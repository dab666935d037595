#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plectl monitor as a service: its unit, what it tells systemd, its signals, its endpoint."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import restore_unit  # noqa: E402

PLECTL = os.environ["PLECTL"]
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
UNIT = SOURCE / "scripts/systemd/plectl-monitor.service"
HOST = SOURCE / "tests/fixtures/hosts/intel_ple"
WAIT_S = 20


class Unit(unittest.TestCase):
    unit = restore_unit.settings(UNIT)

    def test_it_may_do_what_the_probes_need_and_nothing_else(self):
        self.assertEqual(self.unit["CapabilityBoundingSet"], ["CAP_BPF CAP_PERFMON CAP_SYS_ADMIN"])
        self.assertEqual(self.unit["AmbientCapabilities"], self.unit["CapabilityBoundingSet"])
        self.assertEqual(self.unit["DynamicUser"], ["yes"])
        self.assertEqual(self.unit["NoNewPrivileges"], ["yes"])
        self.assertEqual(self.unit["Type"], ["notify"])
        allowed = self.unit["SystemCallFilter"][0].split()
        self.assertLessEqual({"bpf", "perf_event_open"}, set(allowed))

    def test_plectl_takes_its_command_line(self):
        program, *arguments = shlex.split(self.unit["ExecStart"][0])
        self.assertEqual(program, restore_unit.INSTALLED_PLECTL)
        done = subprocess.run([PLECTL, *arguments, "--help"], capture_output=True)
        self.assertEqual(done.returncode, 0)

    def test_systemd_takes_it(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze here")
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory, UNIT.name)
            copy.write_text(UNIT.read_text().replace(restore_unit.INSTALLED_PLECTL,
                                                     str(pathlib.Path(PLECTL).resolve())))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], text=True,
                                  capture_output=True, stdin=subprocess.DEVNULL)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]
        self.assertEqual((done.returncode, lines), (0, []), done.stderr)


class Daemon(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.settimeout(WAIT_S)
        self.systemd.bind(f"{directory.name}/notify")
        # As systemd's own, which everybody may write to: the monitor becomes nobody.
        os.chmod(directory.name, 0o755)
        os.chmod(f"{directory.name}/notify", 0o777)
        self.addCleanup(self.systemd.close)
        environment = dict(os.environ, NOTIFY_SOCKET=f"{directory.name}/notify",
                           WATCHDOG_USEC="60000000")
        self.daemon = subprocess.Popen(
            [PLECTL, "--host-root", str(HOST), "monitor", "--probes", "off", "--listen",
             "127.0.0.1:0"], stderr=subprocess.PIPE, text=True, env=environment)
        self.addCleanup(self.daemon.stderr.close)
        self.addCleanup(self.daemon.wait)
        self.addCleanup(self.daemon.kill)
        self.url = re.search(r"http://\S+", self.daemon.stderr.readline())[0]

    def heard(self, wanted):
        while self.systemd.recv(100).decode() != wanted:
            pass

    def end(self, number):
        self.daemon.send_signal(number)
        self.assertEqual(self.daemon.wait(WAIT_S), 0)
        self.heard("STOPPING=1")

    def scrape(self):
        with urllib.request.urlopen(self.url, timeout=WAIT_S) as answer:
            return answer.read().decode()

    def test_it_tells_systemd_and_ends_by_sigterm(self):
        self.heard("READY=1")
        self.heard("WATCHDOG=1")
        self.end(signal.SIGTERM)

    def test_it_ends_by_sigint(self):
        self.heard("READY=1")
        self.end(signal.SIGINT)

    def test_it_lives_on_after_the_other_signals(self):
        self.heard("READY=1")
        for number, said in ((signal.SIGHUP, "read the names"), (signal.SIGUSR1, "released"),
                             (signal.SIGUSR2, "attached")):
            self.daemon.send_signal(number)
            # Other lines may come first, such as what a recorded host's /proc hides.
            self.assertTrue(any(said in line for line in iter(self.daemon.stderr.readline, "")))
        self.assertIn('plectl_kvm_parameter{module="kvm_intel",parameter="ple_window"} 4096',
                      self.scrape())
        self.end(signal.SIGTERM)

    def test_it_keeps_no_capability_without_probes(self):
        self.heard("READY=1")
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        # Only who has CAP_SETPCAP can empty the bounding set.
        sets = ("CapPrm", "CapEff", "CapBnd") if os.geteuid() == 0 else ("CapPrm", "CapEff")
        for name in sets:
            kept = int(re.search(rf"{name}:\s+(\w+)", status)[1], 16)
            # What became nobody with (SETGID, SETUID) stays in the bounding set, where it is inert.
            inert = 1 << 6 | 1 << 7 if name == "CapBnd" else 0
            self.assertEqual(kept & ~(1 << 38 | 1 << 39 | inert), 0, f"{name} has too much")
        self.assertIn("NoNewPrivs:\t1", status)

    def test_scrapes_are_counted(self):
        self.scrape()
        self.assertIn('plectl_monitor_scrapes_total{result="complete"} 2', self.scrape())


if __name__ == "__main__":
    unittest.main(verbosity=2)
