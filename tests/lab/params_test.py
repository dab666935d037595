#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`plectl params` on the real kvm_intel: set, show, restore, refusals; SIGTERM restores a sweep; a
foreign VM is waited for, or named."""

import json
import os
import pathlib

import lab_harness

PLAN = """
name: params
blocks: 50
arms: [pause]
params: {ple_window: [1024, 8192]}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 500}
"""
SCRIPT = """
window() { cat /sys/module/kvm_intel/parameters/ple_window; }
all() { cat /sys/module/kvm_intel/parameters/*; }
all > /job/originals
plectl params set ple_window=9999 ple_window_grow=0 >&2; echo "set $? $(window)"
plectl params show --format json
plectl params set ple_window=1 >&2; echo "set-again $? $(window)"
plectl sweep /job/plan.yaml --out /job/refused >&2; echo "sweep-refused $? $(window)"
plectl params restore >&2; echo "restore $? $(window)"
plectl params restore >&2; echo "restore-again $? $(window)"
plectl params set ple_window_shrink=4096 >&2; echo "shrink $? $(window)"
plectl params set ple_windo=1 >&2; echo "unknown $? $(window)"
plectl params set pause_filter_count=1 >&2; echo "amd-name $? $(window)"
sleep 1000 3</dev/kvm & holder=$!
plectl params set ple_window=1024 >&2; echo "busy $? $(window)"
kill $holder; wait $holder
plectl sweep /job/plan.yaml --out /job/out --progress none >&2 & sweep=$!
while ! grep -q '"kind":"trial"' /job/out/run.jsonl 2>/dev/null; do usleep 50000; done
kill -TERM $sweep; wait $sweep; echo "terminated $? $(window)"
all | cmp - /job/originals && echo "originals"
ls /var/lib/plectl | grep -c journal
"""

FOREIGN_VM = """
window() { cat /sys/module/kvm_intel/parameters/ple_window; }
/job/vm_holder 8 & holder=$!
sleep 1
plectl params set ple_window=1024 2>/job/busy; echo "busy $? $(window)"
grep -c "$holder (vm_holder, kvm-v" /job/busy; ls /var/lib/plectl | grep -c journal
plectl params set --wait 1 ple_window=1024 2>/job/still; echo "impatient $? $(window)"
grep -c "waited 1 s: kvm_intel is in use by $holder" /job/still
plectl params set --wait 0 ple_window=4096 >&2; echo "nothing to do $? $(window)"
plectl params set --wait 600 ple_window=1024 >&2; echo "waited $? $(window)"
kill -0 $holder 2>/dev/null || echo "the VM is gone"
plectl params restore --wait 5 >&2; echo "restored $? $(window)"
/job/vm_holder 8 & holder=$!
sleep 1
plectl sweep /job/small.yaml --out /job/no --progress none 2>/job/busy; echo "sweep busy $?"
grep -c "$holder (vm_holder, kvm-v" /job/busy
plectl sweep /job/small.yaml --out /job/yes --progress none --wait 600 >&2
echo "sweep waited $? $(grep -c '"kind":"trial"' /job/yes/run.jsonl) $(window)"
"""
KPROBE = """
window() { cat /sys/module/kvm_intel/parameters/ple_window; }
mount -t debugfs none /sys/kernel/debug 2>/dev/null
cd /sys/kernel/tracing
echo 'p:mine kvm_intel:handle_pause' >kprobe_events && echo 1 >events/kprobes/mine/enable
plectl params set ple_window=1024 2>/job/refused; echo "probed $? $(window)"
grep -c '1 kprobe on its functions would die: handle_pause' /job/refused
grep -c GONE /sys/kernel/debug/kprobes/list
echo 0 >events/kprobes/mine/enable; echo >kprobe_events
plectl params set ple_window=1024 >&2; echo "free $? $(window)"
plectl params restore >&2; echo "restored $? $(window)"
"""

# What ends a process by default, a reader that goes, an admin who reloads, and who may open /dev/kvm.
ENDINGS = """
window() { cat /sys/module/kvm_intel/parameters/ple_window; }
gap() { cat /sys/module/kvm_intel/parameters/ple_gap; }
chmod 664 /dev/kvm; chown 0:123 /dev/kvm
for signal in USR1 ALRM 40 SEGV; do
  plectl sweep /job/plan.yaml --out /job/$signal --progress none 2>/dev/null & sweep=$!
  while ! grep -q '"kind":"trial"' /job/$signal/run.jsonl 2>/dev/null; do usleep 50000; done
  kill -$signal $sweep; wait $sweep; echo "$signal $? $(window)"
done
plectl sweep /job/small.yaml --out /job/pipe --progress plain 2>&1 | head -n 1
echo "pipe $(window) $(grep -c '"kind":"trial"' /job/pipe/run.jsonl)"
plectl sweep /job/small.yaml --out /job/full --progress plain 2>/dev/full; echo "full $? $(window)"
ls /var/lib/plectl | grep -c journal
plectl params set ple_window=1024 2>/dev/null >&2; stat -c '%a %u:%g' /dev/kvm
rmmod kvm_intel; modprobe kvm_intel ple_gap=77
plectl params restore >/dev/null 2>/job/note; echo "foreign $? $(gap)"
grep -c 'loaded anew by something else.*ple_gap is 77 instead of 128' /job/note
ls /var/lib/plectl | grep -c journal
"""
SMALL_PLAN = """
name: small
arms: [pause]
params: {ple_window: 8192}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 500}
"""
VM_HOLDER = pathlib.Path(os.environ.get(
    "PLECTL_VM_HOLDER", lab_harness.SOURCE / "build/release/tests/lab/plectl_vm_holder"))


class Params(lab_harness.LabTest):
    def test_a_foreign_vm_is_named_and_waited_for(self):
        self.write("script.sh", FOREIGN_VM)
        self.write("small.yaml", SMALL_PLAN)
        done = self.plectl("lab", "exec", "--file", f"{VM_HOLDER}:/job/vm_holder", "--file",
                           "script.sh:/job/script.sh", "--file", "small.yaml:/job/small.yaml", "--", "sh", "/job/script.sh")
        self.assertEqual(done.stdout.splitlines(), [
            "holds a VM", "busy 3 4096", "1", "0", "impatient 3 4096", "1", "nothing to do 0 4096",
            "waited 0 1024", "the VM is gone", "restored 0 4096", "holds a VM",
            "sweep busy 3", "1", "sweep waited 0 1 4096"],
            done.stderr)

    def test_a_kprobe_of_others_is_not_killed(self):
        done = self.lab_script(KPROBE)
        self.assertEqual(done.stdout.splitlines(),
                         ["probed 3 4096", "1", "0", "free 0 1024", "restored 0 4096"], done.stderr)

    def test_no_ending_leaves_a_changed_host(self):
        done = self.lab_script(ENDINGS, files={"plan.yaml": PLAN, "small.yaml": SMALL_PLAN},
                               exit_code=1)
        self.assertEqual(done.stdout.splitlines(), [
            "USR1 5 4096", "ALRM 5 4096", "40 5 4096", "SEGV 5 4096", "1 trials", "pipe 4096 1",
            "full 0 4096", "0", "664 0:123", "foreign 0 77", "1", "0"], done.stderr)

    def test_set_show_restore_and_refusals(self):
        done = self.lab_script(SCRIPT, files={"plan.yaml": PLAN}, exit_code=1)
        lines = done.stdout.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("{"))
        end = next(i for i, line in enumerate(lines) if line == "}" or line.endswith("}"))
        shown = json.loads("\n".join(lines[start:end + 1]))
        self.assertIn("9999", json.dumps(shown))
        expected = ["set 0 9999", "set-again 3 9999", "sweep-refused 3 9999", "restore 0 4096",
                    "restore-again 0 4096", "shrink 2 4096", "unknown 2 4096", "amd-name 2 4096",
                    "busy 3 4096", "terminated 5 4096", "originals", "0"]
        self.assertEqual([line for line in lines[:start] + lines[end + 1:]], expected, done.stderr)
        self.assertIn("sleep", done.stderr, "the holder of the module is named")


if __name__ == "__main__":
    lab_harness.main()
