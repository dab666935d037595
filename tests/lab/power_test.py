#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts: the emulator itself is killed at a seeded moment of a `params set`, a sweep or a
`params restore` in a lab with a disk, and the lab boots again with that disk. There
scripts/plectl-restore.service, as it is written, brings all in order; no file is torn, no finished
trial is lost or run twice."""

import base64
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading

import lab_harness

sys.path.insert(0, str(lab_harness.SOURCE / "tests"))
import restore_unit  # noqa: E402

SEED = int(os.environ.get("PLECTL_TEST_SEED", "20"))
JOURNAL = "/var/lib/plectl/params.journal.json"
CONF = "/etc/modprobe.d/plectl.conf"
PERSISTED = "/var/lib/plectl/persisted.json"
WINDOWS = [1024, 2048, 8192, 16384]
BLOCKS = 6 if lab_harness.FULL else 2
PLAN = f"""
name: power
seed: 7
blocks: {BLOCKS}
arms: [pause]
params: {{ple_gap: 128, ple_window: {WINDOWS}, ple_window_grow: 0}}
workloads:
  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 100}}
"""
# (command, what the cut waits for, how many us after that at most). "changed": until the module's
# parameters are not what they were, so that the journal must be on the disk.
CUTS = [("sweep", "record", 300_000), ("persist", "changed", 100_000)]
if lab_harness.FULL:
    CUTS = [("sweep", "record", 300_000), ("sweep", "changed", 200_000), ("sweep", "record", 300_000),
            ("set", "start", 300_000), ("set", "changed", 100_000), ("persist", "start", 300_000),
            ("persist", "changed", 100_000), ("restore", "start", 150_000),
            ("restore", "start", 300_000), ("restore", "start", 300_000)]

# What the host does at boot, and what is found before and after.
RECOVER = """
parameters=/sys/module/kvm_intel/parameters
values() { for p in $parameters/*; do echo "${p##*/}=$(cat $p)"; done; }
files() {
  for f in /var/lib/plectl/* /etc/modprobe.d/* /disk/out/run.jsonl; do
    test -f $f && echo "@file $1 $f $(base64 -w0 <$f)"
  done
}
ln -s /bin/plectl /usr/bin/plectl
echo "@boot $(cat /proc/sys/kernel/random/boot_id)"
files before
UNIT
files after
echo "@doctor $(plectl doctor --format json | base64 -w0)"
values >/job/found
rmmod kvm_intel && modprobe kvm_intel && values >/job/own
diff /job/found /job/own >&2; echo "@own $?"
"""
# What is cut. After the command's end, too: the machine then stands until the cut.
CUT = """
window() { cat $parameters/ple_window 2>/dev/null || echo none; }
records() { cat /disk/out/run.jsonl 2>/dev/null | grep -c '"kind":"trial"'; }
show_records() {
  seen=$(cat /disk/out/run.jsonl 2>/dev/null | wc -l)
  while usleep 10000; do
    now=$(cat /disk/out/run.jsonl 2>/dev/null | wc -l)
    test $now -gt $seen && head -n $now /disk/out/run.jsonl | tail -n $((now - seen)) | sed 's/^/@record /'
    seen=$now
  done
}
cp /job/plan.yaml /disk/plan.yaml; sync
test COMMAND = restore && plectl params set --persist ple_window=WINDOW ple_window_grow=0 >&2
first_window=$(window) first_records=$(records)
test COMMAND = sweep && show_records &
echo "@start $first_window"
{
  case AIM in
  changed) while test "$(window)" = "$first_window"; do usleep 500; done; echo "@changed" ;;
  record) while test "$(records)" -lt $((first_records + NTH)); do usleep 2000; done ;;
  esac
  usleep DELAY
  echo "@cut"
} &
case COMMAND in
set) plectl params set ple_window=WINDOW ple_window_grow=0 >&2 ;;
persist) plectl params set --persist ple_window=WINDOW ple_window_grow=0 >&2 ;;
restore) plectl params restore >&2 ;;
sweep) plectl sweep /disk/plan.yaml --out /disk/out --progress none >&2 ;;
esac
echo "@ended $?"
sleep 100000
"""
FINISH = """
plectl sweep /disk/plan.yaml --out /disk/out --progress none >&2; echo "@ended $?"
plectl params restore >&2
values | grep ple_ >/job/defaults; echo "@values $(base64 -w0 </job/defaults)"
files end
"""


class Report:
    """What a boot printed: its lines "@NAME VALUE"."""

    def __init__(self):
        self.lines = collections.defaultdict(list)

    def take(self, line):
        if line.startswith("@"):
            name, _, value = line[1:].rstrip("\n").partition(" ")
            self.lines[name].append(value)

    def one(self, name):
        assert len(self.lines[name]) == 1, (name, dict(self.lines))
        return self.lines[name][0]

    def files(self, when):
        words = [value.split(" ") for value in self.lines["file"]]
        return {path: base64.b64decode(text) for kind, path, text in words if kind == when}


def child_named(pid, name):
    """The PID of the child of `pid` whose program is `name`."""
    listing = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid=,comm="], text=True,
                             capture_output=True, check=False).stdout
    return next(int(line.split()[0]) for line in listing.splitlines() if line.split()[1] == name)


def whole_lines(log):
    """The lines of a run log's bytes, without a torn last one."""
    return log.decode().split("\n")[:-1]


class Power(lab_harness.LabTest):
    def setUp(self):
        super().setUp()
        self.disk = self.directory / "lab.disk"
        self.write("plan.yaml", PLAN)
        self.durable = []  # lines of the run log that no cut may lose
        self.boots = []
        self.seen = collections.Counter()

    def start(self, script):
        self.write("script.sh", script)
        (self.directory / "errors").touch()
        errors = open(self.directory / "errors", "a", encoding="utf-8")
        self.addCleanup(errors.close)
        lab = subprocess.Popen([lab_harness.PLECTL, "lab", "exec", "--lab-disk", "lab.disk",
                                "--file", "plan.yaml", "--file", "script.sh", "--",
                                "sh", "/job/script.sh"],
                               cwd=self.directory, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=errors)
        self.addCleanup(lab.stdout.close)
        self.addCleanup(lab.wait)
        self.addCleanup(lab.kill)
        watchdog = threading.Timer(600, lab.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        return lab

    def errors(self):
        return (self.directory / "errors").read_text()[-4000:]

    def boot_and_cut(self, command, aim, delay_us, nth):
        """Boots, recovers, runs the command, cuts the power; what was printed."""
        script = RECOVER.replace("UNIT\n", restore_unit.as_shell()) + CUT
        # Never the window that an earlier command made to last, or nothing would change.
        words = {"COMMAND": command, "AIM": aim, "DELAY": delay_us, "NTH": nth,
                 "WINDOW": 5000 + len(self.boots)}
        for name, value in words.items():
            script = re.sub(rf"\b{name}\b", str(value), script)
        lab = self.start(script)
        report = Report()
        for line in lab.stdout:
            report.take(line)
            if line.startswith("@start") and not self.boots:
                self.check_in_use()
            if line.startswith("@cut"):
                os.kill(child_named(lab.pid, "bochs-bin"), signal.SIGKILL)
                break
        for line in lab.stdout:  # what had left the machine before
            report.take(line)
        self.assertEqual(lab.wait(60), 5, self.errors())
        self.assertIn("cut", report.lines, self.errors())
        if aim == "record":
            self.assertTrue(report.lines["record"], "the cut came before the sweep")
        # No lock file of the emulator's, which is dead, nor anything else beside the disk.
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()),
                         ["errors", "lab.disk", "plan.yaml", "script.sh"])
        return report

    def check_in_use(self):
        done = self.plectl("lab", "exec", "--lab-disk", "lab.disk", "--", "true", exit_code=3)
        self.assertIn("is in use by another lab", done.stderr)

    def check_file_system(self):
        """A real host checks its disk at boot like this, with the journal's replay."""
        fsck = shutil.which("e2fsck", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        self.assertIsNotNone(fsck, "install e2fsprogs")
        with lab_harness.tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory, "copy")
            shutil.copyfile(self.disk, copy)
            for option, worst in (("-fp", 1), ("-fn", 0)):
                done = subprocess.run([fsck, option, str(copy)], text=True, capture_output=True)
                self.assertLessEqual(done.returncode, worst, done.stdout + done.stderr)

    def check_recovered(self, report, before):
        """What the boot found on the disk after the cut that `before` reports, and made of it."""
        found, left = report.files("before"), report.files("after")
        boot_id = report.one("boot")
        self.assertNotIn(boot_id, self.boots)
        self.boots.append(boot_id)
        self.check_whole(found)
        self.check_whole(left)
        if before and before.lines["changed"]:
            self.assertIn(JOURNAL, found, "parameters were changed without a durable journal")
        state = json.loads(found[JOURNAL])["state"] if JOURNAL in found else "none"
        self.seen[f"journal {state}"] += 1
        self.assertEqual(report.one("unit"), "0" if JOURNAL in found else "skipped", self.errors())
        self.assertNotIn(JOURNAL, left)
        self.assertEqual(left.get(CONF), found.get(CONF), "the unit must keep what lasts")
        self.assertEqual(report.one("own"), "0", "not the host's own parameters")
        doctor = json.loads(base64.b64decode(report.one("doctor")))
        verdicts = {check["id"]: check["verdict"] for check in doctor["checks"]}
        self.assertEqual(verdicts["journal"], "ok")
        self.check_run_log(found)

    def check_whole(self, files):
        """No file is torn: each is read as what it is."""
        for path, content in files.items():
            if path == JOURNAL:
                journal = json.loads(content)
                self.assertIn(journal["state"], ("planned", "applied", "restored"))
                self.assertEqual(set(lab_harness.PLE_DEFAULTS) - set(journal["originals"]), set())
            elif path == PERSISTED:
                record = json.loads(content)
                self.assertEqual(set(record["originals"]), set(record["values"]))
            elif path == CONF:
                *comments, options = content.decode().splitlines()
                self.assertTrue(all(line.startswith("#") for line in comments), content)
                self.assertRegex(options, r"^options kvm_intel( ple_\w+=\d+)+$")
                self.assertTrue(content.endswith(b"\n"))
            elif path == "/disk/out/run.jsonl":
                for line in whole_lines(content):
                    json.loads(line)
                self.seen["torn last line"] += not content.endswith(b"\n")
            else:
                # The lock's content is a hint only; .tmp is the rest of an interrupted write.
                self.assertRegex(path, r"^/var/lib/plectl/lock$|\.tmp$")

    def check_run_log(self, files):
        log = files.get("/disk/out/run.jsonl", b"")
        self.assertEqual(whole_lines(log)[:len(self.durable)], self.durable, "lost records")
        self.durable = whole_lines(log)

    def note_durable(self, report):
        """A record is fsynced before the next trial begins: all that left but the last."""
        self.seen["records before a cut"] += len(report.lines["record"])
        self.durable += report.lines["record"][:-1]

    def finish(self, before):
        script = RECOVER.replace("UNIT\n", restore_unit.as_shell()) + FINISH
        lab = self.start(script)
        report = Report()
        for line in lab.stdout:
            report.take(line)
        self.assertEqual(lab.wait(120), 0, self.errors())
        self.check_recovered(report, before)
        self.assertEqual(report.one("ended"), "0", self.errors())
        values = base64.b64decode(report.one("values")).decode().split()
        files = report.files("end")
        self.assertNotIn(JOURNAL, files)
        self.assertNotIn(CONF, files)
        self.assertNotIn(PERSISTED, files)
        self.check_run_log(files)
        self.check_every_trial_once()
        return dict(value.split("=") for value in values)

    def check_every_trial_once(self):
        records = [json.loads(line) for line in self.durable]
        ids = collections.Counter(record["id"] for record in records
                                  if record["kind"] == "trial" and record["valid"])
        self.assertEqual(len(ids), len(WINDOWS) * BLOCKS)
        self.assertEqual(set(ids.values()), {1})
        self.assertEqual({record["host"]["lab"]["seed_start"] for record in records
                          if record["kind"] == "manifest"}, {"cold"})

    def test_no_power_cut_leaves_a_changed_host_or_a_lost_trial(self):
        moments = random.Random(SEED)
        cuts = moments.sample(CUTS, len(CUTS))
        before = None
        for command, aim, most_us in cuts:
            delay_us, nth = moments.randrange(most_us), moments.randrange(2, 5)
            with self.subTest(command=command, aim=aim, delay_us=delay_us, nth=nth):
                report = self.boot_and_cut(command, aim, delay_us, nth)
                print(f"cut {command} {delay_us} us after {aim} {nth}"
                      f"{', ended' if report.lines['ended'] else ''}", flush=True)
                self.check_recovered(report, before)
                self.check_file_system()
                self.note_durable(report)
                before = report
        self.finish(before)
        self.check_file_system()
        print(f"seed {SEED}: {len(cuts)} cuts, found at the next boot: {dict(self.seen)}")


if __name__ == "__main__":
    lab_harness.main()
