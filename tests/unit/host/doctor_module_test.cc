// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the KVM module, of loading it, and of /dev/kvm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/host/doctor_support.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

TEST(DoctorModule, SaysWhatAHostWithoutKvmLacks) {
  const Diagnosis diagnosis = Diagnose(RecordedHost("no_kvm"));
  EXPECT_EQ(diagnosis.verdict(), Verdict::kBlocker);
  ExpectVerdict(Look(RecordedHost("no_kvm"), "virtualization"), Verdict::kBlocker);
  ExpectVerdict(Look(RecordedHost("no_kvm"), "kvm_module"), Verdict::kBlocker);
  ExpectVerdict(Look(RecordedHost("no_kvm"), "dev_kvm"), Verdict::kBlocker);
  ExpectVerdict(Look(RecordedHost("no_kvm"), "param_gap"), Verdict::kUnknown);
  EXPECT_THAT(Look(RecordedHost("kvm_by_other_module"), "kvm_module").seen, HasSubstr("kvm_pvm"));
}

TEST(DoctorModule, TellsAModuleThatIsNotLoadedFromOneThatIsNotInstalled) {
  const FakeHost host("intel_not_loaded");
  CheckResult module = Look(host, "kvm_module");
  ExpectVerdict(module, Verdict::kBlocker);
  EXPECT_EQ(module.fix, "sudo modprobe kvm_intel");
  const std::string folder = "/lib/modules/6.1.0-56-cloud-amd64";
  host.Write(folder + "/modules.dep", "kernel/net/x.ko:\n");
  EXPECT_THAT(Look(host, "kvm_module").seen, HasSubstr("no file of it is installed"));
  host.Write(folder + "/modules.builtin", "kernel/arch/x86/kvm/kvm-intel.ko\n");
  EXPECT_THAT(Look(host, "kvm_module").seen, HasSubstr("built into the kernel, but did not start"));
}

TEST(DoctorModule, DoesNotGuessAboutAHiddenModule) {
  const FakeHost host("intel_ple");
  host.Remove("/sys/module");
  host.Write("/proc/modules", "kvm_intel 344064 5 - Live 0x0000000000000000\n");
  ExpectVerdict(Look(host, "kvm_module"), Verdict::kUnknown);
  EXPECT_THAT(Look(host, "kvm_module").seen, HasSubstr("/sys/module does not show it here"));
  for (const std::string_view id : {"param_gap", "param_values", "module_holders", "nested"}) {
    ExpectVerdict(Look(host, id), Verdict::kUnknown);
    EXPECT_EQ(Look(host, id).seen,
              "kvm_intel is loaded (/proc/modules), but /sys/module does not show it here");
  }
}

TEST(DoctorModule, StopsWhereNoModuleCanBeLoaded) {
  const FakeHost host("intel_ple");
  ExpectVerdict(Look(host, "module_load"), Verdict::kOk);
  host.Write("/proc/sys/kernel/modules_disabled", "1\n");
  ExpectVerdict(Look(host, "module_load"), Verdict::kBlocker);
  EXPECT_THAT(Look(host, "module_load").seen, HasSubstr("kernel.modules_disabled=1"));
  host.Remove("/proc/sys/kernel/modules_disabled");
  host.Write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  ExpectVerdict(Look(host, "module_load"), Verdict::kOk);
  host.Write("/sys/module/kvm_intel/taint", "OE\n");
  ExpectVerdict(Look(host, "module_load"), Verdict::kBlocker);
}

TEST(DoctorModule, NamesWhatModprobeDoesInsteadOfLoading) {
  const FakeHost host("intel_not_loaded");
  host.Write("/etc/modprobe.d/hard.conf", "\ninstall kvm_intel /bin/false\n");
  EXPECT_THAT(Look(host, "kvm_module").seen,
              HasSubstr("/etc/modprobe.d/hard.conf:2 has \"install kvm_intel /bin/false\""));
  EXPECT_THAT(Look(host, "kvm_module").fix, HasSubstr("remove the line"));
  ExpectVerdict(Look(host, "module_load"), Verdict::kWarning);
  const FakeHost loaded("intel_ple");
  loaded.Write("/etc/modprobe.d/x.conf", "blacklist kvm_intel\nsoftdep kvm_intel post: vhost\n");
  ExpectVerdict(Look(loaded, "module_load"), Verdict::kOk);
  EXPECT_EQ(Look(loaded, "module_load").seen,
            "/etc/modprobe.d/x.conf:1 blacklists it: not loaded at boot; "
            "/etc/modprobe.d/x.conf:2 has \"softdep kvm_intel post: vhost\"");
  loaded.Write("/proc/sys/kernel/modprobe", "/bin/false\n");
  ExpectVerdict(Look(loaded, "module_load"), Verdict::kWarning);
}

TEST(DoctorModule, WarnsOfABuiltInModule) {
  const FakeHost host("intel_built_in");
  host.Write("/lib/modules/6.1.0-56-cloud-amd64/modules.builtin",
             "kernel/arch/x86/kvm/kvm-intel.ko\n");
  const CheckResult module = Look(host, "kvm_module");
  ExpectVerdict(module, Verdict::kWarning);
  EXPECT_THAT(module.seen, HasSubstr("built into the kernel, as modules.builtin says"));
  EXPECT_THAT(module.fix, HasSubstr("kvm_intel.NAME=VALUE on the kernel command line"));
  ExpectVerdict(Look(host, "module_holders"), Verdict::kOk);
  ExpectVerdict(Look(host, "module_load"), Verdict::kOk);
  host.Write("/proc/cmdline", "quiet initcall_blacklist=x,vmx_init\n");
  ExpectVerdict(Look(host, "module_load"), Verdict::kBlocker);
}

TEST(DoctorModule, NamesTheHoldersOfABusyModule) {
  const FakeHost host("intel_busy");
  CheckResult holders = Look(host, "module_holders");
  ExpectVerdict(holders, Verdict::kWarning);
  EXPECT_THAT(holders.seen, HasSubstr("5 references to kvm_intel: 4242 (qemu-system-x86"));
  host.Remove("/proc/4242");
  holders = Look(host, "module_holders");
  EXPECT_THAT(holders.seen, HasSubstr("no open KVM file: they may belong to 4300 (pmdakvm"));
  ExpectVerdict(Look(RecordedHost("intel_ple"), "module_holders"), Verdict::kOk);
}

TEST(DoctorModule, KnowsThatAContainerSeesOnlyItsOwnProcesses) {
  const FakeHost host("intel_busy");
  for (const std::string_view process : {"/proc/4242", "/proc/4300", "/proc/4301"}) {
    host.Remove(process);
  }
  EXPECT_THAT(Look(host, "module_holders").fix, HasSubstr("stop what traces KVM"));
  std::filesystem::create_directories(host.root().Path("/proc/self/ns"));
  std::filesystem::create_symlink("pid:[4026532001]", host.root().Path("/proc/self/ns/pid"));
  const CheckResult holders = Look(host, "module_holders");
  EXPECT_THAT(holders.seen, HasSubstr("only processes of this PID namespace (a container's)"));
  EXPECT_EQ(holders.fix, "look on the host itself, outside of this container: sudo plectl doctor");
}

TEST(DoctorModule, DeviceHasToBeThere) {
  const FakeHost host("intel_ple");
  ExpectVerdict(Look(host, "dev_kvm"), Verdict::kOk);
  host.Remove("/dev/kvm");
  const CheckResult missing = Look(host, "dev_kvm");
  ExpectVerdict(missing, Verdict::kBlocker);
  EXPECT_EQ(missing.seen, "/dev/kvm is not there, though kvm_intel is loaded");
  EXPECT_THAT(missing.fix, HasSubstr("mknod -m 660 /dev/kvm c 10 232"));
  EXPECT_EQ(Look(RecordedHost("intel_not_loaded"), "dev_kvm").fix,
            "load the KVM module (see kvm_module)");
  std::filesystem::create_directories(host.root().Path("/dev/kvm"));
  ExpectVerdict(Look(host, "dev_kvm"), Verdict::kBlocker);
  EXPECT_EQ(Look(host, "dev_kvm").seen, "/dev/kvm is a directory, not character device 10:232");
  host.Remove("/dev/kvm");
  ASSERT_EQ(::mkfifo(host.root().Path("/dev/kvm").c_str(), 0600), 0);
  ExpectVerdict(Look(host, "dev_kvm"), Verdict::kBlocker);
  host.Remove("/dev/kvm");
  std::filesystem::create_symlink("/dev/null", host.root().Path("/dev/kvm"));
  EXPECT_EQ(Look(host, "dev_kvm").seen,
            "/dev/kvm is character device 1:3, not character device 10:232");
}

}  // namespace
}  // namespace plectl::host
