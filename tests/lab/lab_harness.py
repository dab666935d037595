# SPDX-License-Identifier: Apache-2.0
"""What the lab tests share: running plectl, reading run logs, jobs that run inside the lab.

PLECTL names the binary under test, PLECTL_TEST_FULL=1 asks for the long form of a proof.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
PLECTL = os.environ.get("PLECTL", str(SOURCE / "build/release/plectl"))
FULL = os.environ.get("PLECTL_TEST_FULL") == "1"
# Against what hangs, not against a machine that has other work: a long proof may take hours there.
TIMEOUT_S = 14400 if FULL else 1800
PLE_DEFAULTS = {"ple_gap": 128, "ple_window": 4096, "ple_window_grow": 2, "ple_window_shrink": 0,
                "ple_window_max": 4294967295}
# Runs the script. A lab that it has filled proves nothing, whatever the script says.
UNLESS_FULL = """
sh /job/script.sh
code=$?
memory_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo 2>/dev/null)
set -- $(stat -f -c '%b %a' /job 2>/dev/null)
left=${memory_kib:-4096}
test ${1:-0} -gt 0 && test $(($2 * 4)) -lt $left && left=$(($2 * 4))
test $left -ge 2048 && exit $code
echo "the test's lab is too small: $left KiB of its memory are left; give --lab-memory-mib" >&2
exit 75
"""


class LabTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="plectl-lab-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def occupy_display_port(self):
        """A foreign listener on the emulator's display port, which must not matter."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", 5900))
        listener.listen()
        self.addCleanup(listener.close)

    def plectl(self, *arguments, exit_code=0, timeout_s=TIMEOUT_S):
        """Runs plectl and checks its exit code."""
        done = subprocess.run([PLECTL, *map(str, arguments)], cwd=self.directory, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout_s)
        self.assertEqual(done.returncode, exit_code,
                         f"plectl {arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def sweep_in_lab(self, plan_text, *options, out="out", exit_code=0):
        """Sweeps a plan in the lab; returns its trials."""
        self.write("plan.yaml", plan_text)
        self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", out, *options,
                    exit_code=exit_code)
        return read_trials(self.directory / out)

    def lab_script(self, script, *options, files=(), exit_code=0, timeout_s=TIMEOUT_S):
        """Runs a busybox shell script in the lab; /job holds it and `files` {name: text}."""
        arguments = []
        for name, text in dict(files).items():
            arguments += ["--file", f"{self.write(name, text)}:/job/{name}"]
        arguments += ["--file", f"{self.write('script.sh', script)}:/job/script.sh"]
        # A script may be silent for long where the machine has other work; timeout_s ends it.
        silence = () if "--lab-silence-deadline-s" in options else (
            "--lab-silence-deadline-s", timeout_s)
        return self.plectl("lab", "exec", *options, *silence, *arguments, "--", "sh", "-c", UNLESS_FULL,
                           exit_code=exit_code, timeout_s=timeout_s)

    def newer_engine(self):
        """The engine that scripts/newer-engine fetches, once."""
        cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        lab = os.environ.get("PLECTL_LAB_DIR") or pathlib.Path(cache) / "plectl/lab"
        engines = pathlib.Path(lab) / "engines"
        made = subprocess.run([SOURCE / "scripts/newer-engine", engines], text=True,
                              capture_output=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        return engines / "bochs"


def read_lines(run_directory):
    lines = (pathlib.Path(run_directory) / "run.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def read_trials(run_directory, only_valid=True):
    return [line for line in read_lines(run_directory)
            if line["kind"] == "trial" and (line["valid"] or not only_valid)]


def trials_of(text):
    """The trials among the lines of a stdout that holds a run log."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line["kind"] == "trial"]


def runs_of(text):
    """Run name -> its trials, of a stdout that holds run logs, each after a line `run NAME`."""
    runs = {}
    for part in ("\n" + text).split("\nrun ")[1:]:
        name, lines = part.split("\n", 1)
        runs[name] = trials_of(lines)
    return runs


def engine_version():
    """Of the packaged emulator: (2, 7) on Debian 12, (3, 0) on Debian 13."""
    said = subprocess.run(["bochs-bin", "--help", "cpu"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    found = re.search(r"Bochs x86 Emulator (\d+)\.(\d+)", said)
    return int(found[1]), int(found[2])


def counts_of(trials):
    """What must repeat exactly: id -> every count."""
    keys = ("pause_exits", "exits", "window_updates", "vcpus", "elapsed_tsc_cycles")
    stable = ("acquisitions", "spins", "kvm_exits")
    return {trial["id"]: [trial[key] if key != "vcpus" else
                          [[vcpu.get(name) for name in stable] for vcpu in trial["vcpus"]]
                          for key in keys] for trial in trials}


def main():
    unittest.main(argv=[sys.argv[0], "--verbose"] + sys.argv[1:])
