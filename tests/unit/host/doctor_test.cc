// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/doctor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "host_tools/base/utf8.h"
#include "host_tools/host/param_journal.h"
#include "tests/unit/host/doctor_support.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr std::string_view kRecordedHosts[] = {
    "intel_ple",     "intel_l1_guest",   "intel_built_in",
    "intel_busy",    "intel_not_loaded", "amd_no_threshold",
    "amd_threshold", "no_kvm",           "kvm_by_other_module"};

TEST(Doctor, FindsNothingOnAWellKeptIntelHost) {
  const WholeHost host("intel_ple");
  host.Write("/proc/cmdline", "quiet");
  for (const CheckResult& check : Diagnose(host.root()).checks) {
    ExpectVerdict(check, Verdict::kOk);
    EXPECT_EQ(check.fix, "");
  }
  EXPECT_EQ(Diagnose(host.root()).verdict(), Verdict::kOk);
  EXPECT_EQ(Look(host, "host").seen, "a physical host");
  EXPECT_EQ(Look(host, "pause_loop_capability").seen, "PLE in the vmx flags, ple_gap=128");
  EXPECT_EQ(Look(host, "param_gap").seen, "ple_gap=128, the kernel default");
}

TEST(Doctor, ReportsTheSameChecksOnEveryHostAndAFixWithEachComplaint) {
  std::vector<std::string_view> ids;
  for (const CheckResult& check : Diagnose(RecordedHost("intel_ple")).checks) {
    ids.push_back(check.id);
    EXPECT_THAT(std::string(check.id), MatchesRegex("[a-z][a-z0-9_]*"));
  }
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());
  for (const std::string_view name : kRecordedHosts) {
    std::vector<std::string_view> here;
    for (const CheckResult& check : Diagnose(RecordedHost(name)).checks) {
      here.push_back(check.id);
      EXPECT_NE(check.seen, "") << check.id;
      EXPECT_NE(check.why, "") << check.id;
      const bool complains = check.verdict >= Verdict::kWarning;
      EXPECT_FALSE(complains && check.fix.empty()) << name << " " << check.id;
    }
    EXPECT_EQ(here, ids);
  }
}

TEST(Doctor, HasARowInTheDocsForEachCheck) {
  std::ostringstream docs;
  docs << std::ifstream(PLECTL_SOURCE_DIR "/docs/doctor.md").rdbuf();
  for (const CheckResult& check : Diagnose(RecordedHost("intel_ple")).checks) {
    EXPECT_THAT(docs.str(), HasSubstr(fmt::format("\n| `{}` |", check.id)));
  }
}

TEST(Doctor, KnowsTheLab) {
  const CheckResult host = Look(RecordedHost("intel_ple"), "host");
  ExpectVerdict(host, Verdict::kOk);
  EXPECT_THAT(host.seen, HasSubstr("the lab, an emulator, not silicon: bochs-2.7/corei7"));
}

TEST(Doctor, SaysThatAnIntelGuestNeverSeesPle) {
  const CheckResult ple = Look(RecordedHost("intel_l1_guest"), "pause_loop_capability");
  ExpectVerdict(ple, Verdict::kBlocker);
  EXPECT_THAT(ple.why, HasSubstr("KVM never shows PLE to an Intel guest"));
  EXPECT_EQ(Look(RecordedHost("intel_l1_guest"), "host").seen, "a virtual machine");
  const CheckResult gap = Look(RecordedHost("intel_l1_guest"), "param_gap");
  ExpectVerdict(gap, Verdict::kOk);
  EXPECT_THAT(gap.seen, HasSubstr("ple_gap=0, which KVM forces on this CPU"));
}

TEST(Doctor, TellsMissingHardwareFromSwitchedOff) {
  const FakeHost host("intel_ple");
  host.Write("/sys/module/kvm_intel/parameters/ple_gap", "0\n");
  CheckResult ple = Look(host, "pause_loop_capability");
  ExpectVerdict(ple, Verdict::kWarning);
  EXPECT_THAT(ple.seen, HasSubstr("the CPU has it, but ple_gap=0 switches it off"));
  EXPECT_THAT(ple.fix, HasSubstr("plectl params set ple_gap=128"));
  std::string cpu = host.Read("/proc/cpuinfo");
  cpu.erase(cpu.find(" ple"), 4);
  host.Write("/proc/cpuinfo", cpu);
  ple = Look(host, "pause_loop_capability");
  ExpectVerdict(ple, Verdict::kBlocker);
  EXPECT_THAT(ple.seen, HasSubstr("no hardware PLE"));
}

TEST(Doctor, TakesAGapThatKvmDidNotZeroAsProofOfPle) {
  const FakeHost host("intel_ple");
  host.Write("/proc/cpuinfo", "vendor_id : GenuineIntel\nflags : vmx\n");
  ExpectVerdict(Look(host, "pause_loop_capability"), Verdict::kOk);
  host.Write("/sys/module/kvm_intel/parameters/ple_gap", "0\n");
  ExpectVerdict(Look(host, "pause_loop_capability"), Verdict::kUnknown);
}

TEST(Doctor, WarnsOfAVendorThatItWasNotTestedOn) {
  const FakeHost host("intel_ple");
  for (const std::string_view vendor : {"  Shanghai  ", "CentaurHauls", "SomebodyElse"}) {
    host.Write("/proc/cpuinfo", fmt::format("vendor_id\t: {}\nflags\t\t: fpu vmx\n"
                                            "vmx flags\t: ept ple\n",
                                            vendor));
    ExpectVerdict(Look(host, "cpu_vendor"), Verdict::kWarning);
    EXPECT_THAT(Look(host, "cpu_vendor").why, HasSubstr("tested on Intel's and AMD's"));
    ExpectVerdict(Look(host, "pause_loop_capability"), Verdict::kOk);
  }
}

TEST(Doctor, ExplainsAnAmdFilterWithoutThreshold) {
  const CheckResult filter = Look(RecordedHost("amd_no_threshold"), "pause_loop_capability");
  ExpectVerdict(filter, Verdict::kBlocker);
  EXPECT_THAT(filter.seen, HasSubstr("filter off, no threshold"));
  EXPECT_THAT(filter.why, HasSubstr("sets pause_filter_thresh=0 and leaves the filter off"));
}

TEST(Doctor, TakesAnAmdFilterWithThreshold) {
  ExpectVerdict(Look(RecordedHost("amd_threshold"), "pause_loop_capability"), Verdict::kOk);
  const FakeHost host("amd_threshold");
  host.Write("/sys/module/kvm_amd/parameters/pause_filter_count", "0\n");
  const CheckResult filter = Look(host, "pause_loop_capability");
  ExpectVerdict(filter, Verdict::kWarning);
  EXPECT_THAT(filter.seen, HasSubstr("pause_filter_count=0 switches it off"));
}

TEST(Doctor, WarnsOfAnAmdGuestAndStopsAtAnAmdCpuWithoutFilter) {
  const FakeHost host("amd_threshold");
  host.Write("/proc/cpuinfo",
             "vendor_id : AuthenticAMD\nflags : svm pausefilter pfthreshold hypervisor\n");
  ExpectVerdict(Look(host, "pause_loop_capability"), Verdict::kWarning);
  host.Write("/proc/cpuinfo", "vendor_id : AuthenticAMD\nflags : svm\n");
  ExpectVerdict(Look(host, "pause_loop_capability"), Verdict::kBlocker);
}

TEST(Doctor, StopsAtAnotherVendor) {
  const FakeHost host("no_kvm");
  host.Write("/proc/cpuinfo", "vendor_id : CentaurHauls\nflags : fpu\n");
  ExpectVerdict(Look(host, "cpu_vendor"), Verdict::kBlocker);
  ExpectVerdict(Look(host, "pause_loop_capability"), Verdict::kUnknown);
}

ParamJournal SomeJournal() {
  ParamJournal journal;
  journal.boot_id = "3865524b-c79f-4934-8574-76f81e677613";
  journal.originals = {{"ple_gap", "128"}};
  journal.pid = 4321;
  journal.written_at = "2026-01-02T03:04:05Z";
  return journal;
}

TEST(Doctor, StopsAtAJournal) {
  const FakeHost host("intel_ple");
  ExpectVerdict(Look(host, "journal"), Verdict::kOk);
  host.Write(kJournalPath, FormatJournal(SomeJournal()));
  CheckResult journal = Look(host, "journal");
  ExpectVerdict(journal, Verdict::kBlocker);
  EXPECT_EQ(journal.fix, "sudo plectl params restore");
  host.Write("/proc/4321/comm", "plectl\n");
  host.Write("/proc/sys/kernel/random/boot_id", SomeJournal().boot_id + "\n");
  journal = Look(host, "journal");
  ExpectVerdict(journal, Verdict::kBlocker);
  EXPECT_THAT(journal.seen, HasSubstr("plectl (PID 4321) is at work"));
  host.Write(kJournalPath, "{");
  journal = Look(host, "journal");
  ExpectVerdict(journal, Verdict::kBlocker);
  EXPECT_THAT(journal.seen, HasSubstr("params.journal.json"));
}

TEST(Doctor, StopsAtConfidentialityLockdownOnly) {
  const WholeHost host("intel_ple");
  host.Write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  ExpectVerdict(Look(host, "lockdown"), Verdict::kOk);
  host.Write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
  ExpectVerdict(Look(host, "lockdown"), Verdict::kBlocker);
  host.Write("/sys/kernel/security/lockdown", "][");
  ExpectVerdict(Look(host, "lockdown"), Verdict::kUnknown);
  host.Remove("/sys/kernel/security/lockdown");
  ExpectVerdict(Look(host, "lockdown"), Verdict::kUnknown);
  host.Write("/sys/kernel/security/lsm", "capability");
  ExpectVerdict(Look(host, "lockdown"), Verdict::kOk);
}

TEST(Doctor, LooksForWhatTheObserversNeed) {
  const WholeHost host("intel_ple");
  host.Remove("/sys/kernel/btf/kvm");
  EXPECT_THAT(Look(host, "btf").seen, HasSubstr("/sys/kernel/btf/kvm"));
  ExpectVerdict(Look(host, "btf"), Verdict::kWarning);
  host.Remove("/sys/kernel/tracing/events/kvm");
  EXPECT_THAT(Look(host, "tracefs").seen, HasSubstr("no tracepoint kvm:kvm_exit"));
  host.Remove("/sys/kernel/tracing");
  EXPECT_THAT(Look(host, "tracefs").fix, HasSubstr("mount -t tracefs"));
  host.Remove("/proc/sys/kernel/perf_event_paranoid");
  ExpectVerdict(Look(host, "perf_event_paranoid"), Verdict::kWarning);
  const WholeHost built_in("intel_built_in");
  built_in.Remove("/sys/kernel/btf/kvm");
  ExpectVerdict(Look(built_in, "btf"), Verdict::kOk);
}

TEST(Doctor, KnowsTheKernelFixes) {
  const FakeHost host("intel_ple");
  EXPECT_THAT(Look(host, "fix_last_boosted_vcpu").seen, HasSubstr("32bd348be3fa is not needed"));
  ExpectVerdict(Look(host, "fix_forfeit_vruntime"), Verdict::kOk);
  host.Write("/proc/sys/kernel/osrelease", "6.16.0\n");
  ExpectVerdict(Look(host, "fix_last_boosted_vcpu"), Verdict::kWarning);
  host.Write("/proc/sys/kernel/osrelease", "6.16.0-vendor.3\n");
  host.Write("/proc/sys/kernel/version", "#1 SMP\n");
  ExpectVerdict(Look(host, "fix_last_boosted_vcpu"), Verdict::kUnknown);
  ExpectVerdict(Look(host, "fix_forfeit_vruntime"), Verdict::kUnknown);
}

TEST(Doctor, KnowsWhatMakesDirectedYieldsInert) {
  const WholeHost host("intel_ple");
  const CheckResult quiet = Look(host, "directed_yield");
  ExpectVerdict(quiet, Verdict::kOk);
  EXPECT_THAT(quiet.seen, HasSubstr("HRTICK no, flat pick no, preemption full, base slice 0.7 ms"));
  host.Write("/sys/kernel/debug/sched/features", "HRTICK RUN_TO_PARITY\n");
  host.Write("/sys/kernel/debug/sched/cgroup_mode", "up smp (concur) max tasks\n");
  EXPECT_THAT(Look(host, "directed_yield").seen, HasSubstr("HRTICK yes, flat pick concur"));
  host.Write("/sys/kernel/sched_ext/state", "disabled\n");
  ExpectVerdict(Look(host, "directed_yield"), Verdict::kOk);
  host.Write("/sys/kernel/sched_ext/state", "enabled\n");
  host.Write("/sys/kernel/sched_ext/root/ops", "rusty_1.0\n");
  ExpectVerdict(Look(host, "directed_yield"), Verdict::kWarning);
  EXPECT_THAT(Look(host, "directed_yield").seen, HasSubstr("rusty_1.0"));
  host.Remove("/sys/kernel/sched_ext");
  host.Remove("/sys/kernel/debug/sched");
  ExpectVerdict(Look(host, "directed_yield"), Verdict::kUnknown);
}

TEST(Doctor, SaysThatFunctionProbesAreSwitchedOff) {
  const WholeHost host("intel_ple");
  ExpectVerdict(Look(host, "ftrace_enabled"), Verdict::kOk);
  host.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
  ExpectVerdict(Look(host, "ftrace_enabled"), Verdict::kWarning);
  EXPECT_THAT(Look(host, "ftrace_enabled").fix, HasSubstr("sysctl kernel.ftrace_enabled=1"));
  host.Remove("/proc/sys/kernel/ftrace_enabled");
  ExpectVerdict(Look(host, "ftrace_enabled"), Verdict::kOk);
}

TEST(Doctor, LooksAtTheMeasuringConditions) {
  const WholeHost host("intel_ple");
  host.Write("/sys/devices/system/cpu/cpufreq/policy1/scaling_governor", "powersave\n");
  EXPECT_EQ(Look(host, "governor").seen, "performance, powersave");
  ExpectVerdict(Look(host, "governor"), Verdict::kWarning);
  host.Write("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "");
  EXPECT_EQ(Look(host, "governor").seen, "powersave");
  host.Write("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
  ExpectVerdict(Look(host, "tsc"), Verdict::kWarning);
  host.Write("/sys/module/kvm/parameters/halt_poll_ns", "4294967295\n");
  EXPECT_THAT(Look(host, "halt_poll_ns").seen, HasSubstr("-1 is not off, 0 is"));
  host.Write("/sys/devices/system/cpu/smt/active", "1\n");
  EXPECT_THAT(Look(host, "smt").seen, HasSubstr("on: list only one thread"));
}

TEST(Doctor, LooksAtTurboIsolationAndMemory) {
  const WholeHost host("intel_ple");
  host.Write("/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
  EXPECT_THAT(Look(host, "turbo").fix, HasSubstr("intel_pstate/no_turbo"));
  host.Remove("/sys/devices/system/cpu/intel_pstate/no_turbo");
  ExpectVerdict(Look(host, "turbo"), Verdict::kUnknown);
  host.Write("/sys/devices/system/cpu/cpufreq/boost", "1\n");
  EXPECT_THAT(Look(host, "turbo").fix, HasSubstr("cpufreq/boost"));
  host.Write("/sys/devices/system/cpu/isolated", "2-7\n");
  EXPECT_EQ(Look(host, "isolated_cpus").seen,
            "CPUs 2-7 are isolated: quiet ones for a plan's cpus");
  host.Write("/proc/pressure/memory", "some avg10=40.00 avg60=12.50 avg300=0.00 total=1\n");
  ExpectVerdict(Look(host, "memory"), Verdict::kWarning);
  EXPECT_THAT(Look(host, "memory").seen, HasSubstr("12.50 % of the last minute"));
  host.Remove("/proc/pressure/memory");
  ExpectVerdict(Look(host, "memory"), Verdict::kOk);
  host.Write("/proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:   700000 kB\n");
  EXPECT_EQ(Look(host, "memory").seen, "683 of 15625 MiB available");
  ExpectVerdict(Look(host, "memory"), Verdict::kWarning);
}

// Nothing in a host's files makes the doctor crash or lets it write control characters.
TEST(Doctor, SurvivesHostileFiles) {
  std::string garbage = "\x1b]0;x\x07 \\ \" = [ ] : . \xff\xc0";
  garbage.push_back('\0');
  while (garbage.size() < 1 << 20) garbage += garbage;
  for (const std::string_view text :
       {std::string_view(), std::string_view(garbage), std::string_view("flags\t: \x1b[2J\n")}) {
    const WholeHost host("intel_busy");
    for (const std::string_view path :
         {"/proc/cpuinfo",
          "/proc/cmdline",
          "/proc/sys/kernel/osrelease",
          "/proc/4242/comm",
          "/sys/kernel/debug/sched/features",
          "/sys/kernel/debug/sched/cgroup_mode",
          "/sys/kernel/sched_ext/state",
          "/proc/sys/kernel/ftrace_enabled",
          "/proc/sys/kernel/version",
          "/proc/sys/kernel/perf_event_paranoid",
          "/etc/modprobe.d/x.conf",
          "/sys/kernel/security/lockdown",
          "/sys/module/kvm_intel/refcnt",
          "/sys/module/kvm_intel/parameters/ple_gap",
          "/sys/module/kvm/parameters/halt_poll_ns",
          "/sys/devices/system/cpu/smt/active",
          "/sys/devices/system/cpu/isolated",
          "/sys/devices/system/cpu/intel_pstate/no_turbo",
          "/proc/meminfo",
          "/proc/pressure/memory",
          "/proc/4242/task/4243/comm",
          "/proc/4242/task/4243/stat",
          "/proc/4242/task/4243/status",
          "/proc/4242/task/4243/cgroup",
          "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
          "/sys/devices/system/clocksource/clocksource0/current_clocksource",
          "/var/lib/plectl/params.journal.json"}) {
      host.Write(path, text);
    }
    for (const CheckResult& check : Diagnose(host.root()).checks) {
      for (const std::string& part : {check.seen, check.why, check.fix}) {
        EXPECT_LT(part.size(), 40'000U);
        EXPECT_EQ(Printable(part), part);
      }
    }
  }
}

}  // namespace
}  // namespace plectl::host
