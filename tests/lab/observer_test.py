#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two observers agree on every trial, whichever way they count; a broken one is found out. What is
recorded beyond the counts agrees with the counts, with the payload and with KVM's formulas.

Under PLECTL_TEST_FULL=1 the window also grows in a lab of 3 GHz: half a minute more."""

import lab_harness

PLAN = """
name: observers
seed: 9
arms: [pause, nop]
params: {ple_gap: 128, ple_window: [1024, 4096], ple_window_grow: [0, 2]}
workloads:
  - {payload: ttas, vcpus: 3, cpus: [0], hold_tsc_cycles: 2000, iterations: 1000}
"""
FEW = """
name: few
arms: [pause]
params: {ple_gap: 128, ple_window: 1024, ple_window_grow: [0, 2]}
workloads:
  - {payload: ttas, vcpus: 3, cpus: [0], hold_tsc_cycles: 2000, iterations: 1000}
"""
# One spinner that nobody schedules out: each exit doubles its window.
GROWTH = """
name: growth
arms: [pause]
params: {ple_gap: 128, ple_window: [1024, 4096], ple_window_grow: 2, ple_window_shrink: 0,
         ple_window_max: [65536, 4294967295]}
workloads:
  - {payload: pause_loop, vcpus: 1, cpus: 0, iterations: 6000000, scheduling: fifo}
"""
# The defaults at a real CPU's frequency.
EXTINCTION = """
name: extinction
arms: [pause]
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 2, ple_window_shrink: 0}
workloads:
  - {payload: pause_loop, vcpus: 1, cpus: 0, iterations: 30000000, scheduling: fifo}
"""
TICKS_PER_S = 250  # CONFIG_HZ of the lab's kernel
DETAILS = "exit_times,pause_rips,directed_yields,hardware"
SCRIPT = f"""
sweep() {{  # run, plan, options
  run=$1; plan=$2; shift 2
  plectl sweep /job/$plan.yaml --out /job/$run --progress none "$@" >/dev/null 2>&1
  echo "exit $run $?"
  echo "run $run"
  cat /job/$run/run.jsonl
}}
every="--check-observer every-trial"
sweep bpf observers $every
sweep perf observers $every --observer perf
sweep broken observers $every --break-observer 40  # more than the exits of a control
sweep default few
sweep pause-only few --observer pause-only
trigger=/sys/kernel/tracing/events/kvm/kvm_exit/trigger
echo 'hist:keys=guest_rip if exit_reason==40' >>$trigger
sweep details few --observe {DETAILS}
sed -n 's/.*guest_rip: *\\([0-9]*\\) *}} hitcount: *\\([0-9]*\\).*/rip \\1 \\2/p' ${{trigger%trigger}}hist
echo '!hist:keys=guest_rip if exit_reason==40' >>$trigger
sweep growth growth
"""


class Observers(lab_harness.LabTest):
    @classmethod
    def setUpClass(cls):
        cls.runs = {}
        harness = cls("run_script")
        harness.setUp()
        cls.addClassCleanup(harness.doCleanups)
        harness.run_script()

    def run_script(self):
        files = {"observers.yaml": PLAN, "few.yaml": FEW, "growth.yaml": GROWTH}
        cls = type(self)
        cls.exits, cls.traced_rips, cls.manifests = {}, {}, {}
        run = None
        for line in self.lab_script(SCRIPT, files=files).stdout.splitlines():
            words = line.split()
            if line.startswith("exit "):
                self.exits[words[1]] = words[2]
            elif line.startswith("run "):
                run = words[1]
                self.runs[run] = []
            elif line.startswith("rip "):
                self.traced_rips[int(words[1])] = int(words[2])
            elif line.startswith('{"'):
                self.runs[run] += lab_harness.trials_of(line)
                self.manifests.setdefault(run, line)

    def valid_trials(self, run, number):
        self.assertEqual(self.exits[run], "0")
        self.assertEqual(len(self.runs[run]), number)
        for trial in self.runs[run]:
            self.assertTrue(trial["valid"], trial.get("invalid_because"))
        return self.runs[run]

    def test_both_ways_agree_with_their_check_and_with_kvm(self):
        for run in ("bpf", "perf"):
            for trial in self.valid_trials(run, 8):
                with self.subTest(run=run, arm=trial["arm"], **trial["params"]):
                    self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])
                    self.assertEqual(trial["pause_exits"] > 0, trial["arm"] == "pause")
                    self.assertEqual(sum(vcpu["pause_exits"] for vcpu in trial["vcpus"]),
                                     trial["pause_exits"])

    def test_reasons_add_up_or_are_missing_with_a_reason(self):
        for trial in self.runs["bpf"]:
            self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
            for vcpu in trial["vcpus"]:
                self.assertEqual(sum(vcpu["exits"].values()), vcpu["kvm_exits"])
        for trial in self.runs["perf"]:
            self.assertIn("missing_because", trial["exits"])

    def test_a_broken_observer_makes_every_pausing_trial_invalid(self):
        self.assertEqual(self.exits["broken"], "5")
        pausing = [trial for trial in self.runs["broken"] if trial["arm"] == "pause"]
        self.assertEqual(len(pausing), 4 * 3)  # each repeated, then given up
        for trial in pausing:
            self.assertFalse(trial["valid"])
            self.assertIn("disagree on the PAUSE exits", trial["invalid_because"])

    def test_a_measured_trial_has_one_observer_and_kvms_total(self):
        self.assertIn('"observers":["bpf-exit"]', self.manifests["default"])
        self.assertIn('"instructions_per_pause_exit":179', self.manifests["default"])
        for trial in self.valid_trials("default", 2):
            self.assertEqual(trial["exits_total"], trial["kvm_exits_total"])
            self.assertIn("control trials only", trial["pause_exits_check"]["missing_because"])

    def test_pause_only_counts_nothing_else(self):
        self.assertIn('"observers":["bpf-on-spin"]', self.manifests["pause-only"])
        for trial in self.valid_trials("pause-only", 2):
            self.assertGreater(trial["pause_exits"], 100)
            self.assertLess(trial["pause_exits"], trial["kvm_exits_total"])
            self.assertIn("PAUSE exits only", trial["exits"]["missing_because"])
            self.assertIn("no second observer", trial["pause_exits_check"]["missing_because"])

    def test_every_exit_has_a_time(self):
        for trial in self.valid_trials("details", 2):
            times = trial["exit_times"]
            for reason, exits in trial["exits"].items():
                of_reason = times[reason]
                self.assertEqual(of_reason["count"] + of_reason["unfinished"], exits)
                self.assertEqual(sum(of_reason["log2_ns"]), of_reason["count"])
                self.assertLessEqual(of_reason["min_ns"] * of_reason["count"],
                                     of_reason["total_ns"])
                self.assertLessEqual(of_reason["total_ns"],
                                     of_reason["max_ns"] * of_reason["count"])
            # The last exit of each vCPU is the one by which it says that it is done.
            self.assertEqual(sum(entry["unfinished"] for entry in times.values()), 3)
            self.assertEqual(times["IO_INSTRUCTION"]["unfinished"], 3)
            # 1,000 instructions and more, of 5 ns each.
            self.assertGreater(times["PAUSE_INSTRUCTION"]["min_ns"], 1000)

    def test_pause_exits_are_at_relax_sites_and_where_the_tracepoint_saw_them(self):
        seen = {}
        for trial in self.valid_trials("details", 2):
            self.assertEqual(trial["pause_rips"]["other_exits"], 0)
            for site in trial["pause_rips"]["sites"]:
                self.assertTrue(site["relax_site"], site)
                self.assertRegex(site["place"], r"^\w+\+0x[0-9a-f]+$")
                seen[site["rip"]] = seen.get(site["rip"], 0) + site["exits"]
            self.assertEqual(sum(site["exits"] for site in trial["pause_rips"]["sites"]),
                             trial["pause_exits"])
        self.assertTrue(seen)
        for rip, exits in seen.items():
            self.assertEqual(self.traced_rips.get(rip), exits)

    def test_directed_yields_follow_each_pause_exit(self):
        attempts = 0
        for trial in self.valid_trials("details", 2):
            for number, vcpu in enumerate(trial["vcpus"]):
                yields = vcpu["directed_yields"]
                self.assertEqual(yields["on_spin_calls"], vcpu["pause_exits"])
                self.assertLessEqual(yields["without_candidate"], yields["on_spin_calls"])
                self.assertEqual(yields["attempts"], sum(
                    yields[key] for key in ("succeeded", "refused", "not_needed", "failed")))
                self.assertEqual(yields["succeeded"], sum(yields["boosted"].values()))
                self.assertNotIn(str(number), yields["boosted"])
                attempts += yields["attempts"]
                print(f"vCPU {number}: {yields}")
        self.assertGreater(attempts, 100)

    def test_the_host_knows_its_threads(self):
        for trial in self.valid_trials("default", 2):
            for vcpu in trial["vcpus"]:
                self.assertEqual(vcpu["kvm_stats"]["exits"], vcpu["kvm_exits"])
                self.assertGreater(vcpu["run_delay_ns"], 0)
                self.assertGreaterEqual(vcpu["guest_ns"], 0)
            self.assertIn("kvm_stats", trial["vms"][0])
        for trial in self.valid_trials("details", 2):
            for vcpu in trial["vcpus"]:
                for name, count in vcpu["hardware"].items():
                    self.assertIn("missing_because", count, name)
            self.assertIn("no RAPL", trial["energy_uj"]["energy-pkg"]["missing_because"])

    def check_doubling(self, trial):
        """The window doubles at each exit until it is the maximum, or longer than a timer tick: each
        VM exit, the tick's too, lets the window begin again, so that a longer one never ends."""
        window, base = trial["vcpus"][0]["window"], trial["params"]["ple_window"]
        maximum = trial["params"]["ple_window_max"]
        tick_tsc_cycles = trial["tsc_khz"] * 1000 // TICKS_PER_S
        updates, expected = 0, base
        while expected < min(maximum, tick_tsc_cycles):
            updates, expected = updates + 1, min(2 * expected, maximum)
        self.assertEqual([window["changes"], trial["window_growths"], trial["window_shrinks"]],
                         [updates, updates, 0])
        self.assertEqual([window["first"], window["last"], window["max"]],
                         [base, expected, expected])
        before, last_ns = base, 0
        for time_ns, old, new in window["track"]:
            self.assertEqual([old, new], [before, 2 * before])
            self.assertGreaterEqual(time_ns - last_ns, old * 1e6 / trial["tsc_khz"] * 0.99)
            before, last_ns = new, time_ns
        print(f"window {base}, maximum {maximum}, tick {tick_tsc_cycles} TSC cycles: {updates} "
              f"updates, {trial['pause_exits']} PAUSE exits")
        return updates

    def test_a_spinner_that_is_never_scheduled_out_stops_exiting(self):
        for trial in self.valid_trials("growth", 4):
            with self.subTest(**trial["params"]):
                updates = self.check_doubling(trial)
                self.assertEqual(trial["vcpus"][0]["involuntary_switches"], 0)
                if trial["params"]["ple_window_max"] == 65536:
                    self.assertGreater(trial["pause_exits"], 2 * updates)
                else:
                    self.assertEqual(trial["pause_exits"], updates)


class Extinction(lab_harness.LabTest):
    check_doubling = Observers.check_doubling

    def test_at_3_ghz_the_defaults_are_over_after_12_exits(self):
        if not lab_harness.FULL:
            self.skipTest("a lab of its own: PLECTL_TEST_FULL=1")
        trial, = self.sweep_in_lab(EXTINCTION, "--lab-ips", 3_000_000_000)
        self.assertEqual(self.check_doubling(trial), 12)
        self.assertEqual(trial["pause_exits"], 12)


if __name__ == "__main__":
    lab_harness.main()
