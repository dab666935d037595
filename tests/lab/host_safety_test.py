#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must not take KVM from a host, for real: parameters set in a container beside the host's own, a
module's file that is another than the loaded one or packed, and a kernel that wants signatures. Each is
refused before the unload, with its reason, and `plectl doctor` says the same before."""

import json
import re
import shutil

import lab_harness
import ladder_test

# In /job of the lab; `params set` wants another window each time. CODE WINDOW, then what was said.
FUNCTIONS = """
cd /job
ko=$(find /lib/modules -name kvm-intel.ko)
dep() { /job/depmod -a; }
window() { cat /sys/module/kvm_intel/parameters/ple_window 2>/dev/null || echo gone; }
say() { sed "s/^/$1: /"; }
set_to() { plectl params set ple_window=$2 2>said; echo "$1 set $? $(window)"; say $1 <said; }
restore() { plectl params restore >&2; echo "$1 restored $? $(window)"; }
doctor() { plectl doctor --format json | tr -d '\n' | say "doctor $1"; echo; }
refused() { doctor $1; set_to $1 2048; }
accepted() { doctor $1; set_to $1 2048; restore $1; }
sweep() { plectl sweep /job/plan.yaml --out /job/$1 --progress none 2>said; echo "$1 sweep $? $(window)"; say $1 <said; }
"""
CONTAINERS = """
mkdir -p -m 700 /var/lib/plectl
own='mount -t tmpfs -o mode=700 none /var/lib/plectl'
in_container() { unshare -m -p -f --mount-proc sh -c "$own; cd /job; . ./functions; $1"; }
in_container 'set_to alone 1111; sweep alone_sweep'
set_to host 9999
in_container 'set_to beside 1111; restore beside'
unshare -m sh -c "$own; . ./functions; set_to own_folder 1111"
unshare -p -f --mount-proc sh -c ". ./functions; set_to own_pids 1111"
mkdir /root2 && mount -o bind / /root2 && for d in proc sys dev job; do mount -o rbind /$d /root2/$d; done
mount -t tmpfs -o mode=700 none /root2/var/lib/plectl
chroot /root2 sh -c ". /job/functions; set_to chroot 1111"
restore host
unshare -m sh -c ". ./functions; accepted service"
"""
# The module's folder as it was, after each.
FILES = """
cp $ko good.ko
folder=$(dirname $ko)
back() { rm -rf $folder/kvm-intel.ko* /lib/modules/*/updates; cp good.ko $ko; dep; }
for file in other rebuilt torn; do cp $file.ko $ko; refused $file; sweep ${file}_sweep; back; done
rm $ko; refused none; back
mkdir /lib/modules/$(uname -r)/updates; cp rebuilt.ko /lib/modules/$(uname -r)/updates/kvm-intel.ko; dep; refused updates; back
pack() { rm $ko; case $1 in gz) gzip -c $2;; xz) /job/xz -c $2;; zst) /job/zstd -qc $2;; esac >$ko.$1; dep; }
for way in gz xz zst; do
  pack $way rebuilt.ko; refused rebuilt_$way; back
  pack $way good.ko; accepted $way; back
done
accepted again
"""
# Neither can be undone before the next boot. The lab's modules are unsigned. What could not be restored
# stays, and stays noted.
SIGNATURES = """
mount -t securityfs none /sys/kernel/security 2>/dev/null
grep -c E /sys/module/kvm_intel/taint
set_to before 9999
echo 1 >/sys/module/module/parameters/sig_enforce
plectl params restore 2>said; echo "enforced restored $? $(window)"; say enforced <said
doctor enforced
"""
LOCKDOWN = """
mount -t securityfs none /sys/kernel/security 2>/dev/null
echo integrity >/sys/kernel/security/lockdown; cat /sys/kernel/security/lockdown
refused locked; sweep locked_sweep
"""
PLAN = """
name: safety
arms: [pause]
params: {ple_window: [1024, 8192]}
workloads: [{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 200}]
"""
# After all: KVM is there and works.
STILL = """
sed -i '/^params/d' plan.yaml; sweep still
grep -c '"kind":"trial"' /job/still/run.jsonl
"""
BUILD_ID = b"\4\0\0\0\24\0\0\0\3\0\0\0GNU\0"  # elf(5): a note's header and name; 20 bytes follow


class HostSafety(lab_harness.LabTest):
    def lab(self, script, *options, still=STILL):
        script = f"cat >/job/functions <<'END'\n{FUNCTIONS}END\n. /job/functions\n{script}{still}"
        done = self.lab_script(script, *options, files={"plan.yaml": PLAN})
        self.said = done.stdout
        self.diagnoses = dict(re.findall(r"(?m)^doctor (\w+): (.*)$", done.stdout))
        if still is not STILL:
            return
        self.assertRegex(done.stdout, r"(?m)^still sweep 0 \d+$")
        self.assertRegex(done.stdout, r"(?m)^1$", "a trial")

    def check_refused(self, name, window, *words):
        """Before the unload: the module is as it was."""
        what = "sweep" if name.endswith("sweep") else "set"
        self.assertRegex(self.said, rf"(?m)^{name} {what} 3 {window}$")
        for word in words:
            self.assertRegex(self.said, rf"(?m)^{name}: .*{word}")

    def check_accepted(self, name):
        self.assertRegex(self.said, rf"(?m)^{name} set 0 2048$")
        self.assertRegex(self.said, rf"(?m)^{name} restored 0 4096$")

    def check_doctor(self, name, verdict, *words):
        checks = {check["id"]: check for check in json.loads(self.diagnoses[name])["checks"]}
        self.assertEqual(checks["module_load"]["verdict"], verdict, checks["module_load"])
        for word in words:
            self.assertRegex(checks["module_load"]["seen"], word)

    def test_a_container_does_not_change_the_hosts_module(self):
        self.lab(CONTAINERS)
        self.check_refused("alone", 4096, "runs in a container")
        self.check_refused("alone_sweep", 4096, "runs in a container")
        self.assertRegex(self.said, r"(?m)^host set 0 9999$")
        for name in ("beside", "own_folder", "own_pids", "chroot"):
            self.check_refused(name, 9999, "runs in a container", "run it on the host itself")
        self.assertRegex(self.said, r"(?m)^beside restored [13] 9999$")
        self.assertRegex(self.said, r"(?m)^host restored 0 4096$")
        self.check_accepted("service")

    def module_files(self):
        """Options that bring other files of the module along, and what works with them."""
        self.plectl("lab", "build", "--lab-kernel", "debian12")
        self.plectl("lab", "build", "--lab-kernel", "debian12-backports")
        paths = {name: next((ladder_test.cached_kernel(name) / "lib").rglob("kvm-intel.ko"))
                 for name in ("debian12", "debian12-backports")}
        good = paths["debian12"].read_bytes()
        build_id = good.index(BUILD_ID) + len(BUILD_ID)
        files = {"other": paths["debian12-backports"].read_bytes(), "torn": good[:len(good) // 2],
                 "rebuilt": good[:build_id] + bytes([good[build_id] ^ 1]) + good[build_id + 1:]}
        options = []
        for name, content in files.items():
            (self.directory / f"{name}.ko").write_bytes(content)
            options += ["--file", f"{self.directory}/{name}.ko:/job/{name}.ko"]
        for program in ("depmod", "xz", "zstd"):
            path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
            options += ["--file", f"{path}:/job/{program}"]
        return options

    def test_another_file_than_the_loaded_module(self):
        self.lab(FILES, "--lab-memory-mib", "256", *self.module_files())
        another = {"other": r"is for Linux 6\.\d+", "rebuilt": "another build than the loaded one",
                   "torn": "read module file", "none": "no file for module kvm_intel",
                   "updates": "/updates/kvm-intel.ko is another build",
                   "rebuilt_gz": "another build|no file for module", "rebuilt_xz": "another build",
                   "rebuilt_zst": "another build"}
        for name, words in another.items():
            with self.subTest(file=name):
                self.check_refused(name, 4096, words)
                self.check_doctor(name, "blocker", words)
        for name in ("other", "rebuilt", "torn"):
            self.check_refused(f"{name}_sweep", 4096, another[name])
        for name in ("xz", "zst", "again"):
            with self.subTest(packed=name):
                self.check_accepted(name)
                self.check_doctor(name, "ok")
        # Debian's libkmod is built without zlib: what it cannot load is not unloaded.
        self.assertRegex(self.said, r"(?m)^gz set (0 2048|3 4096)$")

    def test_a_kernel_that_enforces_signatures(self):
        self.lab(SIGNATURES, still="ls /var/lib/plectl")
        self.assertRegex(self.said, r"(?m)^before set 0 9999$")
        self.assertRegex(self.said, r"(?m)^enforced restored 3 9999$")
        for words in (r"module\.sig_enforce", "sign kvm_intel"):
            self.assertRegex(self.said, rf"(?m)^enforced: .*{words}")
        self.check_doctor("enforced", "blocker", r"unsigned \(taint E\)", r"module\.sig_enforce")
        self.assertIn("params.journal.json", self.said)

    def test_a_kernel_that_is_locked_down(self):
        self.lab(LOCKDOWN)
        self.assertIn("none [integrity] confidentiality", self.said)
        self.check_refused("locked", 4096, "lockdown=integrity", "boot without lockdown=integrity")
        self.check_refused("locked_sweep", 4096, "lockdown=integrity")
        self.check_doctor("locked", "blocker", r"unsigned \(taint E\)", "lockdown=integrity")


if __name__ == "__main__":
    lab_harness.main()
