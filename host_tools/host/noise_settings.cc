// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "host_tools/base/clock.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;

std::string TextOf(const HostRoot& root, const std::string& path) {
  return root.ReadTrimmed(path).value_or("");
}

// 1 when a setting changed.
Count Changed(const std::string& start, const std::string& end, std::string_view what) {
  if (start.empty() || end.empty()) return Count::Missing(fmt::format("{} is not known", what));
  return uint64_t{start != end};
}

// A CPU that went offline has no cpufreq any more, and changed by that.
Count LimitChanges(const NoiseSettings& start, const NoiseSettings& end) {
  uint64_t changes = 0;
  bool known = false;
  for (size_t i = 0; i < std::min(start.frequency.size(), end.frequency.size()); ++i) {
    known = known || !Trim(start.frequency[i]).empty();
    if (start.frequency[i] != end.frequency[i]) ++changes;
  }
  return known ? Count(changes) : Count::Missing("the measured CPUs have no cpufreq");
}

}  // namespace

NoiseSettings ReadNoiseSettings(const HostRoot& root, std::span<const int> cpus) {
  const std::string system = "/sys/devices/system";
  NoiseSettings settings;
  settings.online_cpus = TextOf(root, system + "/cpu/online");
  settings.clocksource = TextOf(root, system + "/clocksource/clocksource0/current_clocksource");
  settings.cgroups = TextOf(root, "/proc/self/cgroup");
  for (const int cpu : cpus) {
    const std::string cpufreq = fmt::format("{}/cpu/cpu{}/cpufreq/scaling_", system, cpu);
    settings.frequency.push_back(fmt::format("{} {} {}", TextOf(root, cpufreq + "governor"),
                                             TextOf(root, cpufreq + "min_freq"),
                                             TextOf(root, cpufreq + "max_freq")));
  }
  return settings;
}

void CompareNoiseSettings(const NoiseSettings& start, const NoiseSettings& end,
                          NoiseCounts& counts) {
  counts[Q::kCgroupMoved] = Changed(start.cgroups, end.cgroups, "plectl's cgroup");
  counts[Q::kOnlineChanges] = Changed(start.online_cpus, end.online_cpus, "which CPUs are online");
  counts[Q::kClocksourceChanges] = Changed(start.clocksource, end.clocksource, "the clock source");
  counts[Q::kLimitChanges] = LimitChanges(start, end);
}

// CLOCK_BOOTTIME goes on while the host is suspended, CLOCK_MONOTONIC does not. Whatever comes
// between two readings makes the difference larger, so the smallest of several is the best.
Count SuspendedNs(const HostRoot& root) {
  if (!root.is_real()) return Count::Missing("a recorded host has no running clock");
  constexpr int kTries = 3;
  constexpr int64_t kNsPerS = 1'000'000'000;
  int64_t least = INT64_MAX;
  for (int i = 0; i < kTries; ++i) {
    const int64_t monotonic_ns = MonotonicNs();
    timespec boot{};
    if (::clock_gettime(CLOCK_BOOTTIME, &boot) != 0) return Count::Missing("no CLOCK_BOOTTIME");
    least = std::min(least, int64_t{boot.tv_sec} * kNsPerS + boot.tv_nsec - monotonic_ns);
  }
  return static_cast<uint64_t>(std::max<int64_t>(0, least));
}

}  // namespace plectl::host
