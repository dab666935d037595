#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every observer, every detail of --observe and the monitor on one kernel: each works, or is missing
with its reason. What the kernel answers about directed yields is what is known of it. Prints a table.

Under PLECTL_TEST_FULL=1 on the whole ladder: Linux 6.1, 6.12, 7.2 and 7.3, a minute each on a quiet
machine. By hand: PLECTL_TEST_KERNELS="sid debian13-backports"."""

import json
import os

import lab_harness

# What each kernel of the ladder is known to do. Of kernels that are none of these nothing is.
LADDER = {
    "debian12": {"forfeits_on_yield": "no", "hrtick": "no", "flat_pick": "no"},
    "debian12-backports": {"forfeits_on_yield": "yes", "hrtick": "no", "flat_pick": "no"},
    "sid": {"forfeits_on_yield": "yes", "hrtick": "yes", "flat_pick": "no"},
    "debian13-backports": {"forfeits_on_yield": "yes", "hrtick": "yes"},
}
KERNELS = os.environ.get("PLECTL_TEST_KERNELS", "").split() or (
    list(LADDER) if lab_harness.FULL else ["debian12"])
PLAN = """
name: few
arms: [pause]
params: {ple_gap: 128, ple_window: 1024, ple_window_grow: 0}
workloads:
  - {payload: token_ring, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 200}
"""
SWEEPS = {
    "bpf": "--observer bpf --check-observer every-trial",
    "perf": "--observer perf --check-observer every-trial",
    "pause-only": "--observer pause-only",
    "none": "--observer none",
    "exit_times": "--observe exit_times",
    "pause_rips": "--observe pause_rips",
    "directed_yields": "--observe directed_yields",
    "hardware": "--observe hardware",
    "all details": "--observe exit_times,pause_rips,directed_yields,hardware",
}
if not lab_harness.FULL and "PLECTL_TEST_KERNELS" not in os.environ:
    # lab.observer has looked at the others on this kernel.
    SWEEPS = {name: SWEEPS[name] for name in ("bpf", "all details")}
SCRIPT = """
sweep() {  # run, options
  run=$1; shift
  plectl sweep /job/few.yaml --out "/job/$run" --progress none "$@" >/dev/null 2>"/job/$run.err"
  echo "exit $?"
  cat "/job/$run/run.jsonl" 2>/dev/null
  sed 's/^/stderr /' "/job/$run.err"
}
"""
# The VM of a sweep that nobody else watches, while it runs.
MONITOR = """
echo "step monitor"
plectl sweep /job/few.yaml --out /job/watched --progress none --observer none >/dev/null 2>&1 &
plectl monitor --once --interval-s 2 2>/job/monitor.err
echo "exit $?"
sed 's/^/stderr /' /job/monitor.err
wait
"""


def script():
    steps = [f'echo "step {name}"\nsweep run{number} {options}\n'
             for number, (name, options) in enumerate(SWEEPS.items())]
    return SCRIPT + "".join(steps) + MONITOR


class Step:
    """What one command printed."""

    def __init__(self):
        self.exit_code, self.records, self.stderr, self.text = None, [], [], []

    def add(self, line):
        if line.startswith("exit "):
            self.exit_code = int(line.split()[1])
        elif line.startswith("stderr "):
            self.stderr.append(line[7:])
        elif line.startswith("{"):
            self.records.append(json.loads(line))
        else:
            self.text.append(line)

    @property
    def manifest(self):
        return self.records[0]

    @property
    def trial(self):
        """The first that was not repeated, as for a disturbance; else the last, which says why."""
        trials = [record for record in self.records if record["kind"] == "trial"]
        return next((trial for trial in trials if trial["valid"]), trials[-1])


def steps_of(output):
    steps, step = {}, None
    for line in output.splitlines():
        if line.startswith("step "):
            step = steps.setdefault(line[5:], Step())
        elif step:
            step.add(line)
    return steps


class ObserverKernels(lab_harness.LabTest):
    def test_each_works_or_says_why_not(self):
        for kernel in KERNELS:
            with self.subTest(kernel=kernel):
                done = self.lab_script(script(), "--lab-kernel", kernel, files={"few.yaml": PLAN})
                self.look_at(kernel, steps_of(done.stdout))

    def look_at(self, kernel, steps):
        table = {name: self.sweep_result(name, steps[name]) for name in SWEEPS}
        table["monitor"] = self.monitor_result(steps["monitor"])
        manifest = steps["bpf"].manifest
        scheduler = manifest["host"]["scheduler"]
        print(f"\n{kernel}: Linux {manifest['host']['kernel']['release']}")
        for name, result in {**table, "scheduler": json.dumps(scheduler)}.items():
            print(f"  {name:16} {result}")
        for answer, known in LADDER.get(kernel, {}).items():
            self.assertEqual(scheduler[answer], known, answer)

    def sweep_result(self, name, step):
        self.assertEqual(step.exit_code, 0, (name, step.stderr))
        trial = step.trial
        self.assertTrue(trial["valid"], (name, trial.get("invalid_because")))
        if name == "none":
            return "works"
        self.assertGreater(trial["pause_exits"], 0, name)
        if name in ("bpf", "perf"):
            self.assertEqual(trial["pause_exits_check"], trial["pause_exits"])
            return f"works: {trial['pause_exits']} PAUSE exits by two observers"
        details = [detail for detail in ("exit_times", "pause_rips", "directed_yields", "hardware")
                   if name in (detail, "all details")]
        return ", ".join(self.detail_result(detail, step) for detail in details) or "works"

    def detail_result(self, detail, step):
        missing = step.manifest["observer_cost"].get("details", {}).get(detail)
        if missing:
            self.assertTrue(missing["missing_because"])
            return f"missing: {missing['missing_because']}"
        return getattr(self, detail)(step.trial)

    def exit_times(self, trial):
        times = trial["exit_times"]["PAUSE_INSTRUCTION"]
        self.assertEqual(times["count"] + times["unfinished"], trial["pause_exits"])
        return "works"

    def pause_rips(self, trial):
        sites = trial["pause_rips"]
        self.assertEqual(sum(site["exits"] for site in sites["sites"]) + sites["other_exits"],
                         trial["pause_exits"])
        self.assertTrue(all(site["relax_site"] for site in sites["sites"]), sites)
        return "works"

    def directed_yields(self, trial):
        yields = [vcpu["directed_yields"] for vcpu in trial["vcpus"]]
        self.assertEqual(sum(of["on_spin_calls"] for of in yields), trial["pause_exits"])
        return f"works: {sum(of['succeeded'] for of in yields)} succeeded"

    def hardware(self, trial):
        counters = trial["vcpus"][0]["hardware"]
        reasons = {count["missing_because"] for count in counters.values() if isinstance(count, dict)}
        self.assertTrue(all(reasons))
        return f"missing: {sorted(reasons)[0]}" if reasons else "works"

    def monitor_result(self, step):
        self.assertEqual(step.exit_code, 0, step.stderr)
        text = "\n".join(step.text)
        for component in ("bpf", "vms", "parameters"):
            self.assertIn(f'plectl_monitor_healthy{{component="{component}"}} 1', text)
        # Of the whole host: the sweep's VM may have ended by now.
        pauses = sum(float(line.split()[-1]) for line in step.text
                     if line.startswith("plectl_exit_handling_seconds_count") and "PAUSE" in line)
        self.assertGreater(pauses, 0, text)
        self.assertIn("plectl_monitor_lost_exits_total 0", text)
        return f"works: {pauses:.0f} PAUSE exits"


if __name__ == "__main__":
    lab_harness.main()
