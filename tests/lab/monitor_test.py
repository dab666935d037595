#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`plectl monitor` beside a foreign VM: its exits by reason equal `perf kvm stat` over the same time,
exactly; it neither blocks a reload of the vendor's module nor is disturbed by one; signals, and
VMs that end."""

import os
import re
import shutil
import sys

import dashboards
import lab_harness
import perf_kvm_test
import prometheus_tools as tools

sys.path.insert(0, str(lab_harness.SOURCE / "bench"))
import lab_programs  # pylint: disable=wrong-import-position

FOREIGN_VM = os.environ.get("PLECTL_FOREIGN_VM",
                            lab_harness.SOURCE / "build/release/tests/lab/plectl_foreign_vm")
AS_NOBODY = os.environ.get("PLECTL_AS_NOBODY",
                           lab_harness.SOURCE / "build/release/tests/lab/plectl_as_nobody")
VCPUS, CPUIDS = 2, 400
LAST_EXIT = {(): "IO_INSTRUCTION", ("--lab-cpu", "amd"): "IO"}
SAMPLE = re.compile(r"^(?P<name>plectl_[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')

# The monitor is left alone while it starts: two programs at once make the emulated AMD CPU compute
# nonsense.
FUNCTIONS = """
cd /tmp
ifconfig lo up
touch monitor.log vm.out
monitor() { : >monitor.log; plectl monitor --listen 127.0.0.1:9753 "$@" 2>monitor.log & monitor=$!; sleep 2; logged listens || { wait $monitor; echo "monitor ended with $?"; cat monitor.log; exit 5; }; }
logged() { until grep -q "$1" monitor.log; do usleep 20000; kill -0 $monitor || return 1; done; }
scrape() { echo "scrape $1"; wget -q -O - http://127.0.0.1:9753/metrics; }
start_vm() { : >vm.out; /job/foreign_vm "$@" >vm.out & vm=$!; until grep -q done vm.out; do usleep 20000; done; }
end_vm() { kill $vm; wait $vm; }
privileges() { grep -hE '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' /proc/$1/status | sed "s/^/main /"; for t in /proc/$1/task/*; do [ $t = /proc/$1/task/$1 ] || grep -hE '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' $t/status | sed "s/^/other /"; done | sort -u; }
"""
PERF = """
export HOME=/tmp
monitor $monitor_options
echo ffffffff81000000 T _text >kallsyms
mount -o bind kallsyms /proc/kallsyms || exit 5
mkfifo perf_ctl perf_ack
perf kvm stat record -a -D -1 --control=fifo:perf_ctl,perf_ack --no-bpf-event -o data >perf.log 2>&1 &
perf=$!
until grep -q 'Events disabled' perf.log; do usleep 20000; done
exec 5<>perf_ctl 6<>perf_ack
tell_perf() { echo $1 >&5; read -r answer <&6; }
tell_perf enable
start_vm $vm_options
tell_perf disable
scrape beside
kill -INT $perf; wait $perf
grep -i lost perf.log
end_vm
scrape after
echo "report data."
perf kvm -i data stat report 2>&1 || exit 5
"""
RELOAD = """
monitor
start_vm 1 1 50
end_vm
plectl params set ple_window=9999 >&2; echo "set $?"
logged 'loaded again'
plectl params restore >&2; echo "restored $?"
start_vm 1 1 77
scrape reloaded
end_vm
kill -USR1 $monitor; logged 'released the probes'
echo "kvm without $(cat /sys/module/kvm/refcnt)"
start_vm 1 1 5
scrape released
kill -USR2 $monitor; logged 'probes are attached'
end_vm
echo "kvm with $(cat /sys/module/kvm/refcnt)"
start_vm 1 1 9
kill -HUP $monitor; logged 'names of VMs again'
scrape attached
privileges $monitor
kill -TERM $monitor; wait $monitor; echo "ended $?"
cat monitor.log >&2
"""
UNPRIVILEGED = """
chmod 755 /tmp /job
/job/as_nobody none plectl monitor --once 2>refused; echo "without $?"
cat refused
: >monitor.log
/job/as_nobody bpf plectl monitor --listen 127.0.0.1:9753 2>monitor.log & monitor=$!
logged listens
start_vm 2 200000 33
echo "uid $(grep Uid /proc/$monitor/status | cut -f 2)"
scrape nobody
kill -USR1 $monitor; logged 'released the probes'
kill -USR2 $monitor; logged 'probes are attached'
end_vm; start_vm 1 1 9
scrape again
kill -TERM $monitor; wait $monitor; echo "ended $?"
cat monitor.log >&2
"""

UNSEEN = """
monitor --per-vcpu-reasons
start_vm 2 1 100 one-thread
scrape several
echo 0 >/proc/sys/kernel/ftrace_enabled
scrape no_ftrace
logged 'directed yields are not counted: kernel.ftrace_enabled is 0'
echo 1 >/proc/sys/kernel/ftrace_enabled
mount -o remount,hidepid=2 /proc
scrape hidden
logged 'hidepid'
mount -o remount,hidepid=0 /proc
scrape seen
kill -TERM $monitor; wait $monitor
cat monitor.log >&2
"""


def page_of(text, scrape):
    """What followed `scrape NAME`, up to the first line that is no metric's."""
    page = re.search(rf"(?m)^scrape {scrape}\n((?:(?:# |plectl_|exposer_).*\n)+)", text)
    return page[1]


def scrapes_of(text):
    """Name -> {(metric, frozenset of labels): value}, of `scrape NAME` and what follows it."""
    scrapes = {}
    for part in ("\n" + text).split("\nscrape ")[1:]:
        name, _, body = part.partition("\n")
        samples = (SAMPLE.match(line) for line in body.splitlines())
        scrapes[name] = {(match["name"], frozenset(LABEL.findall(match["labels"] or ""))):
                         float(match["value"]) for match in samples if match}
    return scrapes


def values_of(scrape, name, by):
    """Label `by` -> sum of the values of metric `name`."""
    values = {}
    for (metric, labels), value in scrape.items():
        if metric == name:
            key = dict(labels).get(by)
            values[key] = values.get(key, 0) + value
    return values


class Monitor(lab_harness.LabTest):
    def compare_with_perf(self, pauses, *options):
        """perf counts an exit when the vCPU enters again, so not each vCPU's last one, an OUT."""
        perf = lab_programs.file_options(lab_programs.needed_libraries(shutil.which("perf")))
        vm_options = f"'{VCPUS} {pauses} {CPUIDS}'"
        done = self.lab_script(
            f"{FUNCTIONS}monitor_options=--per-vcpu-reasons; vm_options={vm_options}{PERF}",
            "--lab-start", "cold", "--file", f"{FOREIGN_VM}:/job/foreign_vm", *perf, *options)
        self.assertNotRegex(done.stdout.lower(), r"\blost [1-9]")
        (by_perf, _), = perf_kvm_test.perf_reports(done.stdout)
        scrapes = scrapes_of(done.stdout)
        beside = scrapes["beside"]
        exits = values_of(beside, "plectl_vm_exits_total", "reason")
        print(f"monitor {exits}\nperf    {by_perf}")
        entered = perf_kvm_test.as_perf_names(exits)
        entered[LAST_EXIT[options]] -= VCPUS
        self.assertEqual(by_perf, {name: count for name, count in entered.items() if count})
        self.check_consistent(beside, exits)
        self.assertFalse(values_of(scrapes["after"], "plectl_vm_info", "vm"))
        self.check_in_prometheus(page_of(done.stdout, "beside"), exits)
        return beside, exits

    def check_in_prometheus(self, text, exits):
        """The lab has no network: Debian's Prometheus scrapes the page that was scraped there."""
        tools.check_metrics(self, text)
        page = tools.OnePage(self, "text/plain; version=0.0.4")
        page.text = text
        prometheus = tools.Prometheus(self, self.directory, {"plectl-monitor": page.address})
        query = "sum by (reason) (plectl_vm_exits_total)"
        found = tools.wait_for(lambda: prometheus.query(query))
        self.assertEqual({dict(labels)["reason"]: value for labels, value in found.items()}, exits)

    def check_consistent(self, scrape, exits):
        """What is told in several ways is the same."""
        self.assertEqual(exits["CPUID"], VCPUS * CPUIDS)
        self.assertEqual(values_of(scrape, "plectl_vcpu_exits_total", "reason"),
                         {reason: count for reason, count in exits.items() if count})
        handled = values_of(scrape, "plectl_exit_handling_seconds_count", "reason")
        self.assertEqual(handled["CPUID"], exits["CPUID"])
        self.assertEqual(values_of(scrape, "plectl_monitor_lost_exits_total", "program"), {None: 0})
        self.assertEqual(values_of(scrape, "plectl_vm_info", "program"), {"foreign_vm": 1})
        self.assertEqual(values_of(scrape, "plectl_vm_vcpus", "program"), {None: VCPUS})
        self.assertGreater(sum(values_of(scrape, "plectl_vcpu_run_delay_seconds_total",
                                         "vcpu").values()), 0)

    def test_intel_equals_perf(self):
        scrape, exits = self.compare_with_perf(200000)
        pauses = exits["PAUSE_INSTRUCTION"]
        self.assertGreater(pauses, 10)
        per_vcpu = values_of(scrape, "plectl_vcpu_pause_exits_total", "vcpu")
        self.assertEqual(set(per_vcpu), {"0", "1"})
        self.assertEqual(sum(per_vcpu.values()), pauses)
        self.assertEqual(
            values_of(scrape, "plectl_vm_pause_exit_handling_seconds_count", "reason"), {None: pauses})
        changes = values_of(scrape, "plectl_vm_ple_window_changes_total", "direction")
        self.assertGreater(changes["grow"], 10)
        yields = values_of(scrape, "plectl_vm_directed_yields_total", "result")
        self.assertGreater(yields["succeeded"], 0)
        dashboards.check_exported(self, {name for name, _ in scrape}, of_sweeps=False)

    if lab_harness.FULL:  # another kind of lab
        def test_amd_equals_perf(self):
            """The packaged emulator's AMD CPU makes no PAUSE exits: they are 0, and shown."""
            _, exits = self.compare_with_perf(1000, "--lab-cpu", "amd")
            self.assertEqual(exits["PAUSE"], 0)

    def test_reload_signals_and_capabilities(self):
        done = self.lab_script(FUNCTIONS + RELOAD + UNPRIVILEGED, "--file",
                               f"{FOREIGN_VM}:/job/foreign_vm", "--file",
                               f"{AS_NOBODY}:/job/as_nobody")
        scrapes = scrapes_of(done.stdout)
        lines = [line for line in done.stdout.splitlines() if line[:7] not in ("# HELP ", "# TYPE ")
                 and not line.startswith(("plectl_", "exposer_"))]
        self.check_reload(lines, scrapes, done.stderr)
        self.check_unprivileged(lines, scrapes, done)

    def test_what_is_not_seen_is_no_count(self):
        """A thread that runs two vCPUs has them apart; without ftrace there are no directed yields,
        and with hidepid no healthy VMs."""
        done = self.lab_script(FUNCTIONS + UNSEEN, "--file", f"{FOREIGN_VM}:/job/foreign_vm")
        scrapes = scrapes_of(done.stdout)
        cpuids = {dict(labels)["vcpu"]: value
                  for (name, labels), value in scrapes["several"].items()
                  if name == "plectl_vcpu_exits_total" and dict(labels)["reason"] == "CPUID"}
        self.assertEqual(cpuids, {"0": 100, "1": 300}, done.stderr)
        yields = {name: bool(values_of(scrape, "plectl_vm_directed_yields_total", "result"))
                  for name, scrape in scrapes.items() if name in ("several", "no_ftrace")}
        self.assertEqual(yields, {"several": True, "no_ftrace": False}, done.stderr)
        healthy = {name: values_of(scrape, "plectl_monitor_healthy", "component")["vms"]
                   for name, scrape in scrapes.items()}
        self.assertEqual(healthy, {"several": 1, "no_ftrace": 1, "hidden": 0, "seen": 1})

    def check_reload(self, lines, scrapes, stderr):
        for line in ("set 0", "restored 0", "kvm without 1", "ended 0"):
            self.assertIn(line, lines, stderr)
        self.assertNotIn("kvm with 1", lines)
        self.check_privileges(lines)
        after = {name: self.figures(scrapes[name]) for name in ("reloaded", "released", "attached")}
        self.assertEqual(after["reloaded"], {"cpuid": 77, "reloads": 2, "changes": 2, "bpf": 1})
        self.assertEqual(after["released"], {"cpuid": None, "reloads": 2, "changes": 2, "bpf": 0})
        self.assertEqual(after["attached"], {"cpuid": 9, "reloads": 2, "changes": 2, "bpf": 1})

    def check_privileges(self, lines):
        """Started by root: of all that it was only CAP_BPF and CAP_PERFMON are left, in one thread."""
        none, probes = "0" * 16, "000000c000000000"
        nobody = "65534\t65534\t65534\t65534"
        for thread, capabilities in (("main", probes), ("other", none)):
            expected = {"Uid": nobody, "Gid": nobody, "Groups": "", "CapInh": none, "CapAmb": none,
                        "CapPrm": capabilities, "CapEff": capabilities, "CapBnd": none,
                        "NoNewPrivs": "1"}
            found = [line.split(" ", 1)[1].split(":") for line in lines
                     if line.startswith(f"{thread} ")]
            self.assertEqual({name: value.strip() for name, value in found}, expected, thread)
            self.assertEqual(len(found), len(expected), "all of them alike")

    def check_unprivileged(self, lines, scrapes, done):
        self.assertIn("without 3", lines)
        self.assertIn("  next step: the monitor needs CAP_BPF and CAP_PERFMON", done.stdout)
        self.assertIn("uid 65534", lines)
        self.assertEqual(lines.count("ended 0"), 2)
        self.assertEqual(self.figures(scrapes["nobody"])["cpuid"], 66)
        self.assertEqual(self.figures(scrapes["again"])["cpuid"], 9)
        # Debian's kernel.perf_event_paranoid=3 wants CAP_SYS_ADMIN for the way that is left.
        self.assertFalse(values_of(scrapes["nobody"], "plectl_vm_directed_yields_total", "result"))
        self.assertIn("directed yields are not counted: ", done.stderr)

    def figures(self, scrape):
        return {
            "cpuid": values_of(scrape, "plectl_vm_exits_total", "reason").get("CPUID"),
            "reloads": values_of(scrape, "plectl_kvm_module_reloads_total", "module")["kvm_intel"],
            "changes": values_of(scrape, "plectl_kvm_parameter_changes_total", "module")["kvm_intel"],
            "bpf": values_of(scrape, "plectl_monitor_healthy", "component")["bpf"]}


if __name__ == "__main__":
    lab_harness.main()
