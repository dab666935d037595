#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instant starts: snapshots, several labs at once, a job that does not fit, and labs that are killed
at random moments leave no process, file or port behind."""

import hashlib
import os
import pathlib
import random
import shutil
import signal
import stat
import subprocess
import time

import lab_harness

KILLS = 50 if lab_harness.FULL else 4
SEED = int(os.environ.get("PLECTL_TEST_SEED", "50"))
PLAN = """
name: instant
arms: [pause]
params: {ple_gap: 128, ple_window: 4096}
workloads: [{payload: pause_loop, vcpus: 1, cpus: 0, iterations: 1000}]
"""


def lab_directory():
    given = os.environ.get("PLECTL_LAB_DIR")
    return pathlib.Path(given) if given else pathlib.Path.home() / ".cache/plectl/lab"


def children_of_the_lab(directory):
    """Processes that run in one of this lab's run directories, and the janitors."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            cwd = os.readlink(process / "cwd")
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if cwd.startswith(str(directory / "runs")):
            found.append((process.name, command))
    return found


def listening_sockets():
    rows = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {row.split()[1] for row in rows if row.split()[3] == "0A"}


class Instant(lab_harness.LabTest):
    def popen(self, *arguments, **options):
        return subprocess.Popen([lab_harness.PLECTL, *map(str, arguments)], cwd=self.directory,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def test_a_second_start_resumes_and_two_run_at_once(self):
        self.plectl("lab", "exec", "--", "true")
        labs = [self.popen("lab", "exec", "--", "sh", "-c", f"echo {i}; cat /proc/uptime")
                for i in range(3)]
        outputs = [lab.communicate(timeout=600) for lab in labs]
        self.assertEqual([lab.returncode for lab in labs], [0, 0, 0], outputs)
        for i, (out, err) in enumerate(outputs):
            self.assertEqual(out.splitlines()[0], str(i))
            self.assertEqual(err, "")
        # All of one snapshot: the same emulated moment.
        self.assertEqual(len({out.splitlines()[1] for out, _ in outputs}), 1)

    def test_a_job_that_fits_barely_resumes_and_a_larger_one_boots_cold_and_says_so(self):
        for mib, notes in ((15, ()), (20, ("booting the lab, since its job of 20 MiB is too large",
                                           "the lab gets 236 MiB of memory"))):
            content = os.urandom(mib << 20)
            (self.directory / "large").write_bytes(content)
            done = self.plectl("lab", "exec", "--file", "large", "--", "md5sum", "/job/large")
            self.assertEqual(done.stdout.split()[0], hashlib.md5(content).hexdigest())
            self.assertEqual("booting the lab, since" in done.stderr, bool(notes), done.stderr)
            for note in notes:
                self.assertIn(note, done.stderr)

    def test_a_snapshot_that_does_not_work_is_made_anew(self):
        own = self.directory / "lab"
        shutil.copytree(lab_directory() / "kernel", own / "kernel")
        environment = dict(os.environ, PLECTL_LAB_DIR=str(own))
        run = lambda *options: subprocess.run(
            [lab_harness.PLECTL, "lab", "exec", *options, "--", "echo", "works"], env=environment,
            text=True, capture_output=True, timeout=lab_harness.TIMEOUT_S, check=True)
        run()
        snapshot = next(path for path in (own / "snapshots").iterdir() if path.is_dir())
        (snapshot / "state/cpu0").write_text("garbage")
        second = run("--lab-boot-deadline-s", "160")  # a resumed lab gets an eighth
        self.assertEqual(second.stdout, "works\n")
        self.assertIn("its snapshot did not come up", second.stderr)
        self.assertFalse(snapshot.exists())

    def test_without_network_namespaces_the_display_is_a_file_and_no_port(self):
        script = ("echo 0 > /proc/sys/user/max_net_namespaces && "
                  f"exec {lab_harness.PLECTL} lab exec -- sh -c 'i=0; while [ $i -lt 20000 ]; do "
                  "i=$((i+1)); done; echo done'")
        before = listening_sockets()
        lab = subprocess.Popen(["unshare", "--user", "--map-root-user", "sh", "-c", script],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ports, modes = set(), set()
        while lab.poll() is None:
            ports |= listening_sockets() - before
            for file in (lab_directory() / "runs").glob("*/display.sock"):
                try:
                    modes.add(stat.S_IMODE(file.stat().st_mode))
                except FileNotFoundError:
                    pass
            time.sleep(0.01)
        out, err = lab.communicate()
        self.assertEqual((lab.returncode, out), (0, "done\n"), err)
        self.assertIn("is a file that only this user may open, and no port (checked)", err)
        self.assertEqual(modes, {0o600}, "never seen: the test proves nothing")
        display = {port for port in ports if 5900 <= int(port.split(":")[1], 16) < 6000}
        self.assertEqual(display, set())

    def test_labs_killed_at_random_leave_nothing(self):
        moments = random.Random(SEED)
        self.write("plan.yaml", PLAN)
        self.plectl("lab", "exec", "--", "true")  # the snapshot is there
        ports = listening_sockets()
        killed = 0
        for i in range(KILLS):
            command = (["lab", "exec", "--", "sh", "-c", "while :; do :; done"] if i % 2 else
                       ["sweep", "plan.yaml", "--host", "lab", "--out", f"run{i}"])
            victim = self.popen(*command, start_new_session=True)
            time.sleep(moments.uniform(0, 2.5))
            if victim.poll() is None:
                killed += 1
                # Every other time the whole process group, as a terminal that hangs up.
                (os.killpg if i % 4 < 2 else os.kill)(victim.pid, signal.SIGKILL)
            victim.communicate(timeout=60)
        directory = lab_directory()
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            left = [children_of_the_lab(directory), sorted((directory / "runs").iterdir()),
                    sorted((directory / "scratch").iterdir()), listening_sockets() - ports]
            if not any(left):
                break
            time.sleep(0.1)
        print(f"seed {SEED}: {killed} of {KILLS} labs were killed while they ran")
        self.assertEqual(left, [[], [], [], set()])
        self.assertGreaterEqual(killed, KILLS * 3 // 4)
        self.assertEqual(self.plectl("lab", "exec", "--", "echo", "on").stdout, "on\n")


if __name__ == "__main__":
    lab_harness.main()
