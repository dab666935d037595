#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every file of modprobe/ is what modprobe gives the real module, and `plectl doctor` agrees; so is
what `plectl params set --persist` writes, until `plectl params restore` removes it."""

import re

import lab_harness

PRESETS = sorted((lab_harness.SOURCE / "modprobe").glob("*.conf"))
SCRIPT = """
module=$1
mkdir -p /etc/modprobe.d
for file in /job/*.conf; do
  cp $file /etc/modprobe.d/
  rmmod $module && modprobe $module && echo "loaded $(basename $file)"
  for p in /sys/module/$module/parameters/*; do echo "$(basename $p)=$(cat $p)"; done
  rm /etc/modprobe.d/*
done
"""
PERSIST = """
window() { cat /sys/module/kvm_intel/parameters/ple_window; }
again() { rmmod kvm_intel; modprobe kvm_intel; }
conf=/etc/modprobe.d/plectl.conf
plectl params set --persist ple_window=2048 ple_window_grow=0 >&2; echo "persist $? $(window)"
again; echo "next load $(window)"
plectl params restore --keep-persisted >&2; echo "kept $? $(window) $(ls $conf)"
plectl params set --persist ple_gap=64 >&2; grep options $conf
plectl params restore >&2; echo "restored $? $(window) $(ls $conf 2>/dev/null)"
again; echo "next load $(window)"
echo 'options kvm-intel ple_window=512' >/etc/modprobe.d/other.conf
plectl params set --persist ple_window=2048 >&2; echo "fight $? $(window) $(ls $conf 2>/dev/null)"
"""


def options(text):
    """{name: value} of the options lines."""
    lines = [line.split()[2:] for line in text.splitlines() if line.startswith("options ")]
    return dict(word.split("=") for words in lines for word in words)


class Modprobe(lab_harness.LabTest):
    def check(self, vendor, module, forced):
        files = {path.name: path.read_text() for path in PRESETS if path.name.startswith(vendor)}
        self.assertGreaterEqual(len(files), 3)
        done = self.lab_script(f"set -- {module}\n{SCRIPT}", "--lab-cpu", vendor, files=files)
        parts = re.split(r"^loaded (\S+)\n", done.stdout, flags=re.MULTILINE)[1:]
        loaded = dict(zip(parts[::2], parts[1::2]))
        self.assertEqual(loaded.keys(), files.keys(), done.stderr)
        for name, text in files.items():
            actual = dict(line.split("=", 1) for line in loaded[name].splitlines())
            for option, value in options(text).items():
                with self.subTest(file=name, option=option):
                    self.assertEqual(actual[option], forced.get(option, value))

    def test_intel(self):
        self.check("intel", "kvm_intel", forced={})

    def test_amd(self):
        # The lab's AMD CPU has no PFTHRESHOLD: then KVM sets the threshold to 0.
        self.check("amd", "kvm_amd", forced={"pause_filter_thresh": "0"})

    def test_persist(self):
        # The load between them is not plectl's: a restore that keeps the file does not undo it.
        lines = [line.rstrip() for line in self.lab_script(PERSIST).stdout.splitlines()]
        self.assertEqual(lines, [
            "persist 0 2048", "next load 2048", "kept 0 2048 /etc/modprobe.d/plectl.conf",
            "options kvm_intel ple_gap=64 ple_window=2048 ple_window_grow=0",
            "restored 0 4096", "next load 4096", "fight 3 4096"])


if __name__ == "__main__":
    lab_harness.main()
