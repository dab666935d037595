// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of parameters and of the options that set them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/doctor_support.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DoctorParams, HearsOnlyTheCommandLineForABuiltInModule) {
  const FakeHost host("intel_built_in");
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_gap=64\n");
  ExpectVerdict(Look(host, "param_gap"), Verdict::kOk);
  const CheckResult options = Look(host, "module_options");
  ExpectVerdict(options, Verdict::kWarning);
  EXPECT_THAT(options.seen, HasSubstr("/etc/modprobe.d/kvm.conf:1: kvm_intel ple_gap: no effect"));
  host.Write("/etc/modprobe.d/kvm.conf", "");
  host.Write("/proc/cmdline", "quiet kvm-intel.ple_gap=64");
  host.Write("/sys/module/kvm_intel/parameters/ple_gap", "64\n");
  EXPECT_EQ(Look(host, "param_gap").seen, "ple_gap=64 (kernel default 128), set by /proc/cmdline");
}

TEST(DoctorParams, ComparesParametersWithTheDefaultAndTheNextLoad) {
  const FakeHost host("intel_ple");
  host.Write("/sys/module/kvm_intel/parameters/ple_window", "8192\n");
  CheckResult window = Look(host, "param_window");
  ExpectVerdict(window, Verdict::kWarning);
  EXPECT_THAT(window.seen, HasSubstr("ple_window=8192 (kernel default 4096); nothing keeps it"));
  EXPECT_THAT(window.fix, HasSubstr("options kvm_intel ple_window=8192"));
  host.Write("/etc/modprobe.d/kvm.conf", "\noptions kvm-intel ple_window=0x2000\n");
  window = Look(host, "param_window");
  ExpectVerdict(window, Verdict::kOk);
  EXPECT_THAT(window.seen, HasSubstr("set by /etc/modprobe.d/kvm.conf:2"));
  host.Write("/usr/lib/modprobe.d/z.conf", "options kvm_intel ple_window=512\n");
  window = Look(host, "param_window");
  ExpectVerdict(window, Verdict::kWarning);
  EXPECT_THAT(window.seen,
              HasSubstr("the next load takes ple_window=512 (/usr/lib/modprobe.d/z.conf:1)"));
}

TEST(DoctorParams, StepsForADifferentNextLoadWorkThere) {
  const FakeHost host("intel_ple");
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_gap=0x40\n");
  EXPECT_EQ(Look(host, "param_gap").fix,
            "set what you want at /etc/modprobe.d/kvm.conf:1; to have it now: sudo plectl params "
            "set ple_gap=64");
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_gap=many\n");
  EXPECT_EQ(Look(host, "param_gap").fix, "set what you want at /etc/modprobe.d/kvm.conf:1");
  host.Write("/proc/cmdline", "quiet kvm_intel.ple_gap=32\n");
  EXPECT_EQ(Look(host, "param_gap").fix,
            "set what you want on the kernel command line; to have it now: sudo plectl params set "
            "ple_gap=32");
}

TEST(DoctorParams, KeepsAValueOfABuiltInModuleOnTheCommandLine) {
  const FakeHost host("intel_built_in");
  host.Write("/sys/module/kvm_intel/parameters/ple_gap", "0\n");
  EXPECT_EQ(Look(host, "param_gap").fix,
            "to keep it: kvm_intel.ple_gap=0 on the kernel command line");
  EXPECT_EQ(Look(host, "pause_loop_capability").fix,
            "kvm_intel.ple_gap=128 on the kernel command line, then reboot");
  host.Write("/proc/cmdline", "quiet kvm_intel.ple_gap=32\n");
  EXPECT_EQ(Look(host, "param_gap").fix,
            "set what you want on the kernel command line; it counts from the next boot on");
}

TEST(DoctorParams, ProposesToRestoreOnlyWhatPlectlChanged) {
  const FakeHost host("intel_ple");
  host.Write("/sys/module/kvm_intel/parameters/ple_gap", "0\n");
  EXPECT_THAT(Look(host, "param_gap").fix, HasSubstr("to undo it: sudo plectl params set "
                                                     "ple_gap=128"));
  host.Write("/var/lib/plectl/params.journal.json", "{");
  EXPECT_THAT(Look(host, "param_gap").fix, HasSubstr("to undo it: sudo plectl params restore"));
}

TEST(DoctorParams, WarnsOfAnOptionThatKvmOverrides) {
  const FakeHost host("amd_no_threshold");
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_amd pause_filter_thresh=64\n");
  const CheckResult gap = Look(host, "param_gap");
  ExpectVerdict(gap, Verdict::kWarning);
  EXPECT_THAT(gap.seen, HasSubstr("in spite of pause_filter_thresh=64"));
}

TEST(DoctorParams, WarnsOfMangledValues) {
  const FakeHost host("intel_ple");
  ExpectVerdict(Look(host, "param_values"), Verdict::kOk);
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_window_shrink=8192\n");
  CheckResult values = Look(host, "param_values");
  ExpectVerdict(values, Verdict::kWarning);
  EXPECT_THAT(values.seen, HasSubstr("at the next load: ple_window_shrink=8192"));
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_window_shrink=many\n");
  values = Look(host, "param_values");
  ExpectVerdict(values, Verdict::kWarning);
  EXPECT_THAT(values.seen, HasSubstr("the kernel does not take ple_window_shrink=many"));
  host.Write("/sys/module/kvm_intel/parameters/ple_window_grow", "4096\n");
  values = Look(host, "param_values");
  EXPECT_THAT(values.seen, HasSubstr("ple_window_grow=4096 is at or above ple_window=4096"));
  host.Write("/sys/module/kvm_intel/parameters/ple_window", "0\n");
  values = Look(host, "param_values");
  EXPECT_THAT(values.seen, HasSubstr("ple_window=0 is not off"));
}

TEST(DoctorParams, NamesOptionsThatNoModuleHas) {
  const FakeHost host("amd_threshold");
  host.Write("/etc/modprobe.d/kvm.conf",
             "options kvm_amd ple_gap=0 nested=1\n"
             "options kvm poll_ns=50000 ple_window=1 dyndbg=+p\n"
             "options kvm_amd pause_filter_cuont=1\n"
             "options snd_x ple_gap=1\n"
             "options kvm_intel unknown=1\n");
  const CheckResult options = Look(host, "module_options");
  ExpectVerdict(options, Verdict::kWarning);
  const std::string file = "/etc/modprobe.d/kvm.conf";
  for (const std::string_view part :
       {":1: kvm_amd ple_gap: it is of kvm_intel; the equivalent is pause_filter_thresh",
        ":2: kvm poll_ns: no such parameter", ":2: kvm ple_window: it is of kvm_intel",
        ":3: kvm_amd pause_filter_cuont: no such parameter, did you mean"}) {
    EXPECT_THAT(options.seen, HasSubstr(file + std::string(part)));
  }
  EXPECT_THAT(options.seen, Not(HasSubstr("nested")));
  EXPECT_THAT(options.seen, Not(HasSubstr("dyndbg")));
  EXPECT_THAT(options.seen, Not(HasSubstr("snd_x")));
  EXPECT_THAT(options.seen, Not(HasSubstr("unknown")));
}

TEST(DoctorParams, SeeTheOptionsOfAnInstallLine) {
  const FakeHost host("intel_ple");
  host.Write("/etc/modprobe.d/a.conf",
             "install kvm_intel /sbin/modprobe --ignore-install kvm_intel ple_gap=0\n");
  host.Write("/etc/modprobe.d/b.conf", "options kvm_intel ple_gap=64\n");
  CheckResult gap = Look(host, "param_gap");
  ExpectVerdict(gap, Verdict::kWarning);
  EXPECT_THAT(gap.seen, HasSubstr("the next load takes ple_gap=0 (/etc/modprobe.d/a.conf:1)"));
  host.Write("/etc/modprobe.d/a.conf", "install kvm_intel /usr/local/sbin/load-kvm\n");
  gap = Look(host, "param_gap");
  ExpectVerdict(gap, Verdict::kUnknown);
  EXPECT_THAT(gap.seen, HasSubstr("the next load is what /etc/modprobe.d/a.conf:1 runs"));
}

TEST(DoctorParams, AreQuietAboutAWindowWithoutEffect) {
  const FakeHost host("intel_ple");
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_gap=0 ple_window=0\n");
  for (const std::string_view gap : {"128", "0"}) {
    host.Write("/sys/module/kvm_intel/parameters/ple_gap", gap);
    ExpectVerdict(Look(host, "param_values"), Verdict::kOk);
  }
  // Without the gap it is no switch, and is not one at the next load either.
  host.Write("/etc/modprobe.d/kvm.conf", "options kvm_intel ple_window=0\n");
  for (const std::string_view gap : {"128", "0"}) {
    host.Write("/sys/module/kvm_intel/parameters/ple_gap", gap);
    EXPECT_THAT(Look(host, "param_values").seen,
                HasSubstr("at the next load: ple_window=0 is not"));
  }
}

TEST(DoctorParams, KnowTheDefaultOfOldKernels) {
  const FakeHost host("intel_ple");
  host.Write("/sys/module/kvm_intel/parameters/ple_window_max", "1073741823\n");
  host.Write("/proc/sys/kernel/osrelease", "4.14.336\n");
  EXPECT_EQ(Look(host, "param_window_max").seen, "ple_window_max=1073741823, the kernel default");
  ExpectVerdict(Look(host, "param_window_max"), Verdict::kOk);
  host.Write("/proc/sys/kernel/osrelease", "3.10.0-1160.el7.x86_64\n");
  host.Write("/proc/sys/kernel/version", "#1 SMP\n");
  ExpectVerdict(Look(host, "param_window_max"), Verdict::kUnknown);
  EXPECT_THAT(Look(host, "param_window_max").seen, HasSubstr("this kernel's default is unknown"));
  host.Write("/proc/sys/kernel/osrelease", "4.18.0-553.el8_10.x86_64\n");
  ExpectVerdict(Look(host, "param_window_max"), Verdict::kWarning);
  EXPECT_THAT(Look(host, "param_window_max").seen, HasSubstr("(kernel default 4294967295)"));
}

}  // namespace
}  // namespace plectl::host
