#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A session's controls pass where PLE works, end the sweep where it does not, and say why they cannot
be run."""

import lab_harness

PLAIN = """
name: plain
arms: [pause]
workloads: [{payload: pause_loop, vcpus: 1, cpus: 0, iterations: 1000}]
"""
# A PAUSE of 142 cycles in the loop: the kernel's default gap of 128 never sees it.
TRAP = ("--lab-cpu", "skylake-client")
SCRIPT = """
sweep() {  # NAME OPTION...
  name=$1; shift
  plectl sweep /job/$name.yaml --out /job/runs/$name --progress none "$@" >&2
  echo "exit $name $?"
  cat /job/runs/$name/run.jsonl
}
mkdir /job/runs
for plan in /job/*.yaml; do name=${plan##*/}; sweep ${name%.yaml}; done
"""


def records(lines, kind):
    return [line for line in lines if line["kind"] == kind]


class Controls(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        """{plan: (exit code, lines of its run log)}"""
        harness = cls()
        cls.addClassCleanup(harness.doCleanups)
        harness.setUp()
        files = {"plain.yaml": PLAIN,
                 "off.yaml": PLAIN.replace("arms", "params: {ple_gap: 0}\narms")}
        cls.runs = {}
        for line in harness.lab_script(SCRIPT, files=files).stdout.splitlines():
            if line.startswith("exit "):
                _, name, code = line.split()
                cls.runs[name] = (int(code), [])
            else:
                cls.runs[name][1].append(lab_harness.json.loads(line))

    def test_controls_pass_and_are_watched_by_both_observers(self):
        code, lines = self.runs["plain"]
        self.assertEqual(code, 0)
        calibration = records(lines, "manifest")[0]["calibration"]
        self.assertAlmostEqual(calibration.pop("tsc_khz"), 200000, delta=20)
        self.assertEqual({name: round(cycles, 1) for name, cycles in calibration.items()},
                         {"pause_tsc_cycles": 1, "wait_loop_tsc_cycles": 3,
                          "pause_loop_tsc_cycles": 3})
        controls = {line["name"]: line for line in records(lines, "control")}
        self.assertEqual(list(controls), ["ple_fires", "nop", "below_window"])
        for name, control in controls.items():
            trial = control["trial"]
            self.assertTrue(control["passed"], control)
            self.assertEqual(trial["pause_exits"] > 0, name == "ple_fires")
            self.assertEqual(trial["pause_exits_check"], trial["pause_exits"])

    def test_a_plan_that_turns_ple_off_has_controls_with_ple_on(self):
        code, lines = self.runs["off"]
        self.assertEqual(code, 0)
        for control in records(lines, "control"):
            self.assertTrue(control["passed"], control)

    def test_a_host_with_ple_off_says_why_it_has_no_controls(self):
        done = self.lab_script("rmmod kvm_intel && modprobe kvm_intel ple_gap=0 && "
                               "plectl sweep /job/plain.yaml --out /job/run --progress none >&2 && "
                               "cat /job/run/run.jsonl", files={"plain.yaml": PLAIN})
        lines = [lab_harness.json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([control["missing_because"] for control in records(lines, "control")],
                         3 * ["ple_gap=0 turns PAUSE exits off"])

    def test_a_broken_observer_ends_the_sweep(self):
        self.write("plan.yaml", PLAIN)
        done = self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out", "--break-observer",
                           "2", "--check-observer", "every-trial", exit_code=5)
        self.assertIn("could not measure: the control ple_fires failed: the observers disagree",
                      done.stderr)
        lines = lab_harness.read_lines(self.directory / "out")
        self.assertEqual(len({trial["id"] for trial in records(lines, "trial")}), 1)
        self.assertFalse(records(lines, "control")[0]["passed"])

    def test_the_default_gap_is_found_too_small(self):
        self.write("plan.yaml", PLAIN)
        self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out", *TRAP)
        lines = lab_harness.read_lines(self.directory / "out")
        calibration = records(lines, "manifest")[0]["calibration"]
        self.assertAlmostEqual(calibration["pause_tsc_cycles"], 140, delta=0.05)
        why = "ple_gap=128 is below the 142.0 TSC cycles"
        for control in records(lines, "control"):
            self.assertIn(why, control["missing_because"])
        for trial in records(lines, "trial"):
            self.assertIn(why, trial["ple_off_because"])
        report = self.plectl("report", "out").stdout
        self.assertIn("PLE is off in 1 of 1 rows: " + why, report)
        self.assertRegex(report, r"set ple_gap to at least 14[23]\b")


if __name__ == "__main__":
    lab_harness.main()
