#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`plectl doctor` on real kernels: no blocker where PLE works, and why it does not on the AMD lab CPU.
"""

import json

import lab_harness


class Doctor(lab_harness.LabTest):
    def test_intel_has_ple_and_no_blocker(self):
        done = self.lab_script("""
echo 'options kvm_intel ple_windo=1' > /job/x.conf
mkdir -p /etc/modprobe.d && cp /job/x.conf /etc/modprobe.d/
plectl doctor >&2 || exit
plectl doctor --format json
""")
        self.assertRegex(done.stderr, r"(?m)^ok +host +the lab, an emulator, not silicon: bochs")
        self.assertRegex(done.stderr, r"(?m)^ok +pause_loop_capability +PLE in the vmx flags")
        self.assertRegex(done.stderr, r"(?m), 0 blockers$")
        diagnosis = json.loads(done.stdout[done.stdout.index("{"):])
        self.assertEqual(diagnosis["kind"], "doctor")
        checks = {check["id"]: check for check in diagnosis["checks"]}
        for name in ("kvm_module", "dev_kvm", "module_holders", "journal", "param_window", "btf",
                     "tracefs", "perf_event_paranoid", "tsc", "fix_last_boosted_vcpu"):
            self.assertEqual(checks[name]["verdict"], "ok", checks[name])
        self.assertEqual(checks["module_options"]["verdict"], "warning")
        self.assertIn("/etc/modprobe.d/x.conf:1: kvm_intel ple_windo",
                      checks["module_options"]["seen"])

    def test_amd_filter_is_off_for_want_of_a_threshold(self):
        done = self.plectl("lab", "exec", "--lab-cpu", "amd", "--", "plectl", "doctor", exit_code=1)
        self.assertRegex(done.stdout,
                         r"(?m)^blocker +pause_loop_capability +filter off, no threshold")
        self.assertRegex(done.stdout, r"sets pause_filter_thresh=0 and leaves the filter off")
        self.assertRegex(done.stdout, r"(?m), 1 blocker: pause_loop_capability$")


if __name__ == "__main__":
    lab_harness.main()
