#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kernel of the ladder in the lab: the emulator's self-test, the doctor, and a sweep that is valid
there. And kernels of one's own: packages, a directory, one without an option that the lab needs."""

import itertools
import os
import pathlib
import re
import shutil
import subprocess

import lab_harness

# In the lab, a release each: what the kernel must be at least.
LADDER = {"debian12": (6, 1), "debian12-backports": (6, 12), "debian13": (6, 12), "sid": (7, 2),
          "debian13-backports": (7, 3)}
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")
PLAN = """
name: ladder
arms: [pause, nop]
params: {ple_gap: 128, ple_window: 4096, ple_window_grow: 0}
workloads:
  - {payload: token_ring, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 20}
"""


def cached_kernel(name):
    """The finished kernel of a release in the lab's cache."""
    given = os.environ.get("PLECTL_LAB_DIR")
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    kernels = (pathlib.Path(given) if given else pathlib.Path(cache) / "plectl/lab") / "kernel"
    return kernels / (kernels / f"release-{name}").read_text()


class Ladder(lab_harness.LabTest):
    def check_sweep(self, kernel, out, *options):
        trials = self.sweep_in_lab(PLAN, "--lab-kernel", kernel, *options, *PATIENCE, out=out)
        self.assertEqual(len(trials), 2)
        for trial in trials:
            self.assertEqual(trial["pause_exits"] > 0, trial["arm"] == "pause", trial)
            self.assertEqual(sum(trial["exits"].values()), trial["kvm_exits_total"])
        return lab_harness.read_lines(self.directory / out)[0]["host"]["kernel"]["release"]

    def test_every_release_is_tested_healthy_and_sweeps(self):
        for kernel, at_least in LADDER.items():
            with self.subTest(kernel=kernel):
                check = self.plectl("lab", "check", "--lanes", "intel", "--lab-kernel", kernel,
                                    *PATIENCE)
                self.assertIn("usable", check.stdout)
                doctor = self.plectl("lab", "exec", "--lab-kernel", kernel, *PATIENCE, "--",
                                     "plectl", "doctor")
                self.assertIn(" 0 blockers", doctor.stdout)
                release = self.check_sweep(kernel, f"run-{kernel}")
                print(f"{kernel}: {release}")
                self.assertGreaterEqual(tuple(map(int, re.findall(r"\d+", release)[:2])), at_least)

    def test_a_finished_run_belongs_to_its_kernel_and_cpu(self):
        self.check_sweep("debian12", "out")
        again = self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out")
        self.assertIn("finished", again.stdout + again.stderr)
        for other in (("--lab-kernel", "debian13-backports"), ("--lab-cpu", "skylake-client"),
                      ("--lab-memory-mib", "200"), ("--lab-seed", "7"),
                      ("--lab-kernel-args", "nohz=off")):
            with self.subTest(other=other):
                done = self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out", *other,
                                   exit_code=2)
                self.assertIn("the run was started on another host", done.stderr)

    def make_tree(self):
        """A directory as `make` fills it, of a kernel that the lab has."""
        kernel = cached_kernel("debian12")
        tree = self.directory / "mine"
        shutil.copytree(kernel / "lib", tree / "lib")
        shutil.copy(kernel / "vmlinuz", tree / "bzImage")
        shutil.copy(kernel / "config", tree / ".config")
        return tree

    def make_deb(self, name, package):
        """Packs what lies below the folder `name` as the kernel's scripts do."""
        folder = self.directory / name
        (folder / "DEBIAN").mkdir()
        (folder / "DEBIAN/control").write_text(
            f"Package: {package}\nVersion: 1\nArchitecture: amd64\n"
            "Maintainer: me <me@example.org>\nDescription: a kernel\n")
        subprocess.run(["dpkg-deb", "--build", folder, self.directory / f"{name}.deb"], check=True,
                       capture_output=True)
        return self.directory / f"{name}.deb"

    def pack_modules(self, folder):
        """In turn by what a kernel may be configured to use."""
        tools = (["zstd", "-q", "--rm"], ["gzip"], ["xz", "-0", "--check=crc32"])
        for module, tool in zip(sorted(folder.rglob("*.ko")), itertools.cycle(tools)):
            subprocess.run([*tool, module], check=True)

    def test_a_directory_and_packages_of_ones_own(self):
        self.plectl("lab", "build", "--lab-kernel", "debian12")
        tree = self.make_tree()
        release = self.check_sweep(tree, "of-tree")
        # As `make bindeb-pkg` lays it out, but in two packages, as Debian's Linux 7 is.
        shutil.copytree(tree / "lib", self.directory / "modules/lib")
        self.pack_modules(self.directory / "modules")
        (self.directory / "image/boot").mkdir(parents=True)
        shutil.copy(tree / "bzImage", self.directory / f"image/boot/vmlinuz-{release}")
        shutil.copy(tree / ".config", self.directory / f"image/boot/config-{release}")
        image = self.make_deb("image", f"linux-image-{release}")
        modules = self.make_deb("modules", f"linux-modules-{release}")
        alone = self.plectl("lab", "boot", "--lab-kernel", image, exit_code=2)
        self.assertIn("CONFIG_KVM is a module", alone.stderr)
        self.assertEqual(self.check_sweep(image, "of-debs", "--lab-kernel", modules), release)

    def test_what_a_kernel_lacks_is_named(self):
        self.plectl("lab", "build", "--lab-kernel", "debian12")
        tree = self.make_tree()
        config = (tree / ".config").read_text()
        for option in ("CONFIG_KVM_INTEL", "CONFIG_DEBUG_INFO_BTF", "CONFIG_SERIAL_8250_CONSOLE",
                       "CONFIG_BLK_DEV_INITRD"):
            with self.subTest(option=option):
                (tree / ".config").write_text(re.sub(rf"^{option}=.*$", f"# {option} is not set",
                                                     config, flags=re.MULTILINE))
                done = self.plectl("lab", "boot", "--lab-kernel", tree, exit_code=2)
                self.assertIn(f"which was built without {option}", done.stderr)


if __name__ == "__main__":
    lab_harness.main()
