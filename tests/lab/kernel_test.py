#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The newest kernel of Debian's backports in the lab: the same sweep is valid there, counted by BPF,
and its run does not go on under the other kernel."""

import lab_harness

PLAN = """
name: kernel
seed: 1
arms: [pause, nop]
params: {ple_window: [1024, 4096], ple_window_grow: 0}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 4000, iterations: 5000}
"""


class Kernel(lab_harness.LabTest):
    def test_backports_sweeps_and_is_not_mixed_with_another_kernel(self):
        trials = self.sweep_in_lab(PLAN, "--lab-kernel", "debian12-backports",
                                   "--check-observer", "every-trial",
                                   "--observe", "exit_times,pause_rips,directed_yields")
        self.assertEqual(len(trials), 4)
        for trial in trials:
            with self.subTest(arm=trial["arm"], **trial["params"]):
                self.assertEqual(trial["pause_exits"], trial["pause_exits_check"])
                self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
                self.assertEqual(trial["pause_exits"] > 0, trial["arm"] == "pause")
        manifest = lab_harness.read_lines(self.directory / "out")[0]
        self.assertNotRegex(manifest["host"]["kernel"]["release"], r"^6\.1\.")
        self.assertEqual(manifest["observers"], ["bpf-exit", "bpf-on-spin", "exit_times",
                                                 "pause_rips", "directed_yields"])
        self.check_details(trials)
        self.refuse_another_kernel()

    def check_details(self, trials):
        for trial in trials:
            sites = trial["pause_rips"]["sites"]
            self.assertTrue(all(site["relax_site"] for site in sites), sites)
            self.assertEqual(sum(site["exits"] for site in sites), trial["pause_exits"])
            self.assertEqual(sum(vcpu["directed_yields"]["on_spin_calls"]
                                 for vcpu in trial["vcpus"]), trial["pause_exits"])
            self.assertEqual(sum(times["count"] + times["unfinished"]
                                 for times in trial["exit_times"].values()), trial["exits_total"])

    def refuse_another_kernel(self):
        """One trial is left to do, but the machine has another kernel now."""
        log = self.directory / "out/run.jsonl"
        unfinished = "".join(log.read_text().splitlines(keepends=True)[:-1])
        log.write_text(unfinished)
        done = self.plectl("sweep", "plan.yaml", "--host", "lab", "--lab-kernel", "debian12", "--out",
                           "out", "--check-observer", "every-trial", "--observe",
                           "exit_times,pause_rips,directed_yields", exit_code=2)
        self.assertIn("the run was started on another host: kernel/release was", done.stderr)
        self.assertEqual(log.read_text(), unfinished)


if __name__ == "__main__":
    lab_harness.main()
