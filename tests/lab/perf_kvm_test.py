#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plectl's exits by reason and their total equal `perf kvm stat report` exactly, trial by trial.

perf runs in the lab beside `plectl sweep --perf-control`. A relay sits between the two: after each
trial it makes perf go on with a new file, so that there is one report per trial. Lost events, or
perf's own complaint about them, fail the test.
"""

import os
import re
import shutil
import sys

import lab_harness

sys.path.insert(0, str(lab_harness.SOURCE / "bench"))
import lab_programs  # pylint: disable=wrong-import-position

PLAN = """
name: perf-kvm
seed: 3
blocks: {blocks}
arms: [pause, nop]
params: {params}
workloads:
  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: {acquisitions}}}
  - {{payload: ticket, vcpus: 3, cpus: [0], hold_tsc_cycles: 2000, iterations: {turns}}}
  - {{payload: pause_storm, vcpus: 1, cpus: [0], iterations: {pauses}}}
"""
# Of the guest in PLECTL_EXIT_STORM_GUEST, since there are no PAUSE exits to be had.
AMD_PLAN = """
name: perf-kvm-amd
seed: 3
blocks: {blocks}
params: {params}
workloads:
  - {{payload: cpuid_storm, vcpus: [1, 2, 3], cpus: [0], iterations: {turns}}}
"""
INTEL = "{ple_gap: 128, ple_window: [512, 4096], ple_window_grow: 0}"
INTEL_FULL = "{ple_gap: [0, 4, 128], ple_window: [256, 1024, 4096], ple_window_grow: [0, 2]}"
AMD = "{pause_filter_count: [100, 3000], pause_filter_count_grow: [1, 2]}"
SMALL = {"blocks": 1, "acquisitions": 300, "turns": 30, "pauses": 100000}
LARGE = {"blocks": 2, "acquisitions": 3000, "turns": 500, "pauses": 1000000}

# perf's FIFOs are perf_*, plectl's are plectl_*. perf writes a file per USR2; the next trial waits
# for it, since plectl waits for the answer. perf reads the names of all functions for each file, a
# second of emulated time each: it needs none. plectl starts when perf has: two programs that start
# at once make the emulated AMD CPU compute nonsense and end in a triple fault.
SCRIPT = """
cd /tmp
export HOME=/tmp
mkfifo perf_ctl perf_ack plectl_ctl plectl_ack
echo ffffffff81000000 T _text >kallsyms
mount -o bind kallsyms /proc/kallsyms || exit 5
perf kvm stat record -a -D -1 --control=fifo:perf_ctl,perf_ack --switch-output=signal \
  --no-bpf-event -o data >perf.log 2>&1 &
perf=$!
until grep -q 'Events disabled' perf.log; do usleep 20000; done

files() { ls data.2* 2>/dev/null | wc -l; }
next_file() {
  before=$(files)
  kill -USR2 $perf
  while [ $(files) = $before ]; do usleep 20000; done
}
relay() {
  exec 3<>plectl_ctl 4<>plectl_ack 5<>perf_ctl 6<>perf_ack
  while read -r command <&3; do
    echo $command >&5
    read -r answer <&6
    [ $command = disable ] && next_file
    echo $answer >&4
  done
}
relay &
relay=$!
plectl sweep /job/plan.yaml $sweep_options --out out --progress none --disturbed-repeats 0 \
  --perf-control plectl_ctl,plectl_ack >&2 || exit $?
recorded=$(files)
kill $perf
wait $perf
kill $relay
grep -i lost perf.log
for data in $(ls data.2* | head -n $recorded); do
  echo "report $data"
  perf kvm -i $data stat report 2>&1 || exit 5
done
cat out/run.jsonl
"""
ROW = re.compile(r"^ +(?P<name>[A-Za-z_0-9 ]*[A-Za-z_0-9]) +(?P<samples>\d+) +[\d.]+% ", re.M)
TOTAL = re.compile(r"^Total Samples:(?P<samples>\d+),", re.M)
GUEST = "build/release/tests/payloads/plectl_exit_storm_guest"
NAME_MAX = 19  # of perf's own columns


def perf_reports(stdout):
    """[(exits by reason, total)], one per trial, as perf printed them."""
    reports = []
    for text in stdout.split("report data.")[1:]:
        text = text.partition('\n{"')[0]
        exits = {match["name"].upper().replace(" ", "_"): int(match["samples"])
                 for match in ROW.finditer(text)}
        total = TOTAL.search(text)
        reports.append((exits, int(total["samples"]) if total else 0))
    return reports


def as_perf_names(exits):
    return {reason[:NAME_MAX]: count for reason, count in exits.items()}


def sum_by_reason(many):
    total = {}
    for exits in many:
        for reason, count in exits.items():
            total[reason] = total.get(reason, 0) + count
    return total


class PerfKvm(lab_harness.LabTest):
    def record_and_compare(self, plan, *options, sweep_options=""):
        """The trials, each of which was found equal to its report."""
        perf = shutil.which("perf")
        self.assertIsNotNone(perf, "no perf; next step: scripts/setup --test")
        files = lab_programs.file_options(lab_programs.needed_libraries(perf))
        done = self.lab_script(f"sweep_options='{sweep_options}'{SCRIPT}", "--lab-start", "cold", *options, *files,
                               files={"plan.yaml": plan})
        self.assertNotRegex(done.stdout.lower(), r"\blost\b")
        trials = lab_harness.trials_of(done.stdout)
        reports = perf_reports(done.stdout)
        self.assertEqual(len(reports), len(trials))
        for trial, report in zip(trials, reports):
            self.check_equal(trial, report)
        self.check_sums(trials, reports)
        return trials

    def check_equal(self, trial, report):
        """A difference whose cause plectl told is no failure: it repeats that trial."""
        if "after the guest's end" in trial.get("invalid_because", ""):
            print(f"trial {trial['id']} left out: {trial['invalid_because']}")
            return
        with self.subTest(id=trial["id"], arm=trial["arm"], **trial["params"]):
            exits, total = report
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
            self.assertEqual(exits, as_perf_names(trial["exits"]))
            self.assertEqual(total, trial["exits_total"])
            self.assertEqual(total, trial["kvm_exits_total"])

    def check_sums(self, trials, reports):
        pairs = [(trial["exits"], exits) for trial, (exits, _) in zip(trials, reports)
                 if trial["valid"]]
        ours = sum_by_reason(as_perf_names(exits) for exits, _ in pairs)
        self.assertEqual(ours, sum_by_reason(exits for _, exits in pairs))
        print(f"{len(pairs)} trials equal, {sum(ours.values())} exits: {ours}")

    def test_intel(self):
        params, sizes = (INTEL_FULL, LARGE) if lab_harness.FULL else (INTEL, SMALL)
        trials = self.record_and_compare(PLAN.format(params=params, **sizes))
        valid = [trial for trial in trials if trial["valid"]]
        self.assertGreaterEqual(len(valid), 12)
        self.assertEqual({trial["arm"] for trial in valid}, {"pause", "nop"})
        self.assertGreater(sum(trial["pause_exits"] for trial in valid), 500)

    if lab_harness.FULL:  # another kind of lab
        def test_amd(self):
            """The packaged emulator's AMD CPU makes no PAUSE exits; all other reasons are compared."""
            guest = os.environ.get("PLECTL_EXIT_STORM_GUEST",
                                   lab_harness.SOURCE / GUEST)
            trials = self.record_and_compare(
                AMD_PLAN.format(params=AMD, **LARGE), "--lab-cpu", "amd", "--file",
                f"{guest}:/job/guest.elf", sweep_options="--payload-elf /job/guest.elf")
            self.assertGreaterEqual(len(trials), 6)
            for trial in trials:
                self.assertGreaterEqual(trial["exits"]["CPUID"],
                                        trial["workload"]["vcpus"] * LARGE["turns"])


if __name__ == "__main__":
    lab_harness.main()
