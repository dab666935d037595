// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/host_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/host/cgroup_limits.h"

namespace plectl::host {
namespace {

using nlohmann::json;

struct Setting {
  std::string_view name;
  std::string_view file;
};
constexpr std::array kSettings = {
    Setting{"transparent_hugepage", "/sys/kernel/mm/transparent_hugepage/enabled"},
    Setting{"ksm", "/sys/kernel/mm/ksm/run"},
    Setting{"numa_balancing", "/proc/sys/kernel/numa_balancing"},
    Setting{"sched_rt_runtime_us", "/proc/sys/kernel/sched_rt_runtime_us"},
    Setting{"sched_autogroup", "/proc/sys/kernel/sched_autogroup_enabled"},
    Setting{"timer_migration", "/proc/sys/kernel/timer_migration"},
    Setting{"nmi_watchdog", "/proc/sys/kernel/nmi_watchdog"},
    Setting{"cpus_isolated", "/sys/devices/system/cpu/isolated"},
    Setting{"cpus_nohz_full", "/sys/devices/system/cpu/nohz_full"},
    Setting{"turbo_amd", "/sys/devices/system/cpu/cpufreq/boost"},
    Setting{"pstate_min_percent", "/sys/devices/system/cpu/intel_pstate/min_perf_pct"},
    Setting{"pstate_max_percent", "/sys/devices/system/cpu/intel_pstate/max_perf_pct"},
};

json Missing(std::string_view because) { return {{"missing_because", because}}; }

json TextOf(const HostRoot& root, std::string_view file) {
  const Result<std::string> text = root.ReadTrimmed(file);
  return text ? json(*text) : Missing(text.error().message);
}

// The boot loader's name for the kernel's file says nothing that the release does not.
json CommandLine(const HostRoot& root) {
  const Result<std::string> text = root.ReadTrimmed("/proc/cmdline");
  if (!text) return Missing(text.error().message);
  std::vector<std::string_view> words = Split(*text, ' ');
  std::erase_if(words, [](std::string_view word) {
    return word.empty() || word.starts_with("BOOT_IMAGE=") || word.starts_with("initrd=");
  });
  return fmt::format("{}", fmt::join(words, " "));
}

json CpuQuotas(const HostRoot& root) {
  const Result<CpuLimits> limits = CpuLimitsOf(root, "self");
  if (!limits) return Missing(limits.error().message);
  std::vector<std::string> quotas;
  for (const CpuQuota& quota : limits->quotas) quotas.push_back(quota.setting);
  return quotas.empty() ? json("none") : json(fmt::format("{}", fmt::join(quotas, ", ")));
}

json AllowedCpus(const HostRoot& root) {
  const Result<std::string> status = root.Read("/proc/self/status");
  if (!status) return Missing(status.error().message);
  const auto list = LineAfter(*status, "Cpus_allowed_list:");
  return list ? json(std::string(Trim(*list))) : Missing("no Cpus_allowed_list");
}

// How many CPUs have which governor, limits and preference: "8 of performance 800000 3400000".
json Frequency(const HostRoot& root) {
  const std::string folder = "/sys/devices/system/cpu/cpufreq";
  const Result<std::vector<std::string>> policies = root.List(folder);
  if (!policies) return Missing(policies.error().message);
  std::map<std::string, size_t> cpus;
  for (const std::string& policy : *policies) {
    if (!policy.starts_with("policy")) continue;
    std::string text;
    for (const char* file : {"scaling_governor", "scaling_min_freq", "scaling_max_freq",
                             "energy_performance_preference"}) {
      const auto value = root.ReadTrimmed(fmt::format("{}/{}/{}", folder, policy, file));
      if (value) text += ' ' + *value;
    }
    ++cpus[text];
  }
  std::vector<std::string> groups;
  for (const auto& [text, count] : cpus) groups.push_back(fmt::format("{} of{}", count, text));
  if (groups.empty()) return Missing("there is no cpufreq policy");
  return fmt::format("{}", fmt::join(groups, ", "));
}

}  // namespace

json HostSettings(const HostRoot& root) {
  json settings = {{"command_line", CommandLine(root)},
                   {"cpu_quotas", CpuQuotas(root)},
                   {"allowed_cpus", AllowedCpus(root)},
                   {"frequency", Frequency(root)}};
  for (const Setting& setting : kSettings) {
    settings[std::string(setting.name)] = TextOf(root, setting.file);
  }
  return settings;
}

}  // namespace plectl::host
