// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/load_obstacles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "host_tools/host/module_reload.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr KvmModule kIntel = KvmModule::kIntel;

// Why the loaded module could not be reloaded, "" when it could, and the next step.
Error Refusal(const FakeHost& host) {
  const Status status = CheckReloadable(host.root(), kIntel);
  return status ? Error{} : status.error();
}

TEST(LoadObstacle, IsNoneOnAnOrdinaryHost) {
  const FakeHost host("intel_ple");
  EXPECT_EQ(Refusal(host).message, "");
  host.Write("/proc/sys/kernel/modules_disabled", "0\n");
  host.Write("/sys/module/module/parameters/sig_enforce", "Y\n");
  host.Write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_EQ(Refusal(host).message, "");  // the module is signed
}

TEST(LoadObstacle, IsASwitchThatOnlyABootResets) {
  const FakeHost host("intel_ple");
  host.Write("/proc/sys/kernel/modules_disabled", "1\n");
  EXPECT_THAT(Refusal(host).message, HasSubstr("kernel.modules_disabled=1: the kernel loads"));
  EXPECT_THAT(Refusal(host).hint, HasSubstr("find what sets kernel.modules_disabled"));
  host.Write("/usr/lib/sysctl.d/10-x.conf", "kernel.modules_disabled = 0\n");
  host.Write("/etc/sysctl.d/99-hard.conf", "# x\n\n-kernel/modules_disabled=1\n");
  EXPECT_THAT(Refusal(host).message, HasSubstr("(/etc/sysctl.d/99-hard.conf:3)"));
  EXPECT_EQ(Refusal(host).hint,
            "remove kernel.modules_disabled at /etc/sysctl.d/99-hard.conf:3, then reboot");
  host.Remove("/etc/sysctl.d");
  host.Remove("/usr/lib/sysctl.d");
  host.Write("/proc/cmdline", "quiet sysctl.kernel.modules_disabled=1\n");
  EXPECT_THAT(Refusal(host).hint, HasSubstr("at /proc/cmdline"));
}

TEST(LoadObstacle, IsAMissingSignatureWhereTheKernelWantsOne) {
  const FakeHost host("intel_ple");
  host.Write("/sys/module/kvm_intel/taint", "E\n");
  EXPECT_EQ(Refusal(host).message, "");
  host.Write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_THAT(Refusal(host).message,
              HasSubstr("kvm_intel is unsigned (taint E), and lockdown=integrity lets only"));
  EXPECT_THAT(Refusal(host).hint, HasSubstr("boot without lockdown=integrity"));
  host.Write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
  EXPECT_THAT(Refusal(host).message, HasSubstr("lockdown=confidentiality"));
  host.Write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  EXPECT_EQ(Refusal(host).message, "");
  host.Write("/sys/module/module/parameters/sig_enforce", "Y\n");
  EXPECT_THAT(Refusal(host).message, HasSubstr("module.sig_enforce=Y (Secure Boot, or"));
  host.Write("/proc/cmdline", "quiet module.sig_enforce\n");
  EXPECT_THAT(Refusal(host).message, HasSubstr("module.sig_enforce (/proc/cmdline)"));
  // The taint is in /proc/modules too.
  host.Remove("/sys/module/kvm_intel/taint");
  EXPECT_EQ(Refusal(host).message, "");
  host.Write("/proc/modules", "x 1 0 - Live 0x0\nkvm_intel 344064 0 - Live 0x0 (OE)\n");
  EXPECT_THAT(Refusal(host).message, HasSubstr("is unsigned"));
}

TEST(LoadStep, NamesWhatStandsInTheWay) {
  const FakeHost host("intel_not_loaded");
  EXPECT_EQ(HowToLoad(host.root(), kIntel).step, "sudo modprobe kvm_intel");
  EXPECT_EQ(HowToLoad(host.root(), kIntel).why_not, "");
  host.Write("/etc/modprobe.d/hard.conf", "\nblacklist kvm-intel\n");
  LoadStep step = HowToLoad(host.root(), kIntel);
  EXPECT_EQ(step.step, "sudo modprobe kvm_intel");
  EXPECT_THAT(step.why_not, HasSubstr("/etc/modprobe.d/hard.conf:2 has \"blacklist kvm_intel\""));
  host.Write("/etc/modprobe.d/hard.conf", "install kvm_intel /bin/false\n");
  step = HowToLoad(host.root(), kIntel);
  EXPECT_EQ(step.why_not, "/etc/modprobe.d/hard.conf:1 has \"install kvm_intel /bin/false\"");
  EXPECT_THAT(step.step,
              AllOf(HasSubstr("remove the line \"install kvm_intel /bin/false\" at "
                              "/etc/modprobe.d/hard.conf:1, then: sudo modprobe kvm_intel"),
                    HasSubstr("sudo modprobe --ignore-install kvm_intel")));
  host.Write("/etc/modprobe.d/hard.conf", "install kvm /bin/true\n");
  EXPECT_THAT(HowToLoad(host.root(), kIntel).step,
              HasSubstr("--ignore-install kvm && sudo modprobe kvm_intel"));
  host.Write("/proc/cmdline", "quiet module_blacklist=a,kvm_intel\n");
  step = HowToLoad(host.root(), kIntel);
  EXPECT_THAT(step.why_not, HasSubstr("module_blacklist=kvm_intel on the kernel command line"));
  EXPECT_THAT(step.step, HasSubstr("then reboot"));
}

TEST(LoadStep, AfterEpermIsNeverRunAsRootForRoot) {
  const FakeHost host("intel_ple");
  host.Write("/proc/self/status", "Name:\tplectl\nUid:\t1000\t1000\t1000\t1000\n");
  EXPECT_EQ(StepAfterEperm(host.root(), kIntel), "run as root (sudo)");
  host.Write("/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
  EXPECT_THAT(StepAfterEperm(host.root(), kIntel), HasSubstr("see dmesg"));
  host.Write("/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n");
  EXPECT_THAT(StepAfterEperm(host.root(), kIntel), HasSubstr("no CAP_SYS_MODULE"));
  host.Write("/proc/self/uid_map", "         0       1000          1\n");
  EXPECT_THAT(StepAfterEperm(host.root(), kIntel), HasSubstr("user namespace"));
  host.Write("/proc/sys/kernel/modules_disabled", "1\n");
  EXPECT_THAT(StepAfterEperm(host.root(), kIntel), HasSubstr("modules_disabled"));
}

}  // namespace
}  // namespace plectl::host
