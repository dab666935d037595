// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/host/doctor_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace plectl::host {

CheckResult Look(const HostRoot& root, std::string_view id) {
  const Diagnosis diagnosis = Diagnose(root);
  const auto found = std::ranges::find(diagnosis.checks, id, &CheckResult::id);
  if (found == diagnosis.checks.end()) throw std::runtime_error("no check " + std::string(id));
  return *found;
}

CheckResult Look(const FakeHost& host, std::string_view id) { return Look(host.root(), id); }

void ExpectVerdict(const CheckResult& result, Verdict verdict) {
  EXPECT_EQ(VerdictName(result.verdict), VerdictName(verdict)) << result.id << ": " << result.seen;
}

WholeHost::WholeHost(std::string_view recorded_as) : FakeHost(recorded_as) {
  for (const std::string_view name : {"vmlinux", "kvm", "kvm_intel", "kvm_amd"}) {
    Write(fmt::format("/sys/kernel/btf/{}", name), "");
  }
  Write("/sys/kernel/tracing/events/kvm/kvm_exit/id", "1234\n");
  Write("/proc/sys/kernel/perf_event_paranoid", "2\n");
  Write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  Write("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "performance\n");
  Write("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
  for (const auto& [name, khz] : {std::pair("cpuinfo_min_freq", "800000"),
                                  {"cpuinfo_max_freq", "3900000"},
                                  {"scaling_min_freq", "800000"},
                                  {"scaling_max_freq", "3900000"},
                                  {"base_frequency", "3400000"},
                                  {"scaling_cur_freq", "3399000"}}) {
    Write(fmt::format("/sys/devices/system/cpu/cpufreq/policy0/{}", name),
          fmt::format("{}\n", khz));
  }
  Write("/sys/kernel/debug/sched/features", "START_DEBIT NEXT_BUDDY NO_HRTICK NO_HRTICK_DL\n");
  Write("/sys/kernel/debug/sched/preempt", "none voluntary (full) \n");
  Write("/sys/kernel/debug/sched/base_slice_ns", "700000\n");
  Write("/proc/sys/kernel/ftrace_enabled", "1\n");
  Write("/sys/devices/system/cpu/isolated", "\n");
  Write("/proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB\n");
  Write("/proc/pressure/memory", "some avg10=0.00 avg60=0.10 avg300=0.00 total=1\n");
}

}  // namespace plectl::host
