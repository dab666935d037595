// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_cgroup.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "host_tools/base/text.h"
#include "host_tools/host/cgroup_limits.h"
#include "host_tools/host/noise_memory.h"
#include "host_tools/host/noise_text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;

constexpr std::string_view kMount = "/sys/fs/cgroup";

std::string FileOf(std::string_view cgroup, std::string_view name) {
  return fmt::format("{}{}/{}", kMount, cgroup == "/" ? "" : cgroup, name);
}

template <class Parse>
Count CountIn(const HostRoot& root, const std::string& path, Parse parse) {
  const Result<std::string> text = root.Read(path);
  return text ? parse(*text) : Count::Missing(text.error().message);
}

// Limits of this cgroup and of those above it that were hit. Only the root of the host's hierarchy
// has no such file: it has no limits.
Count LimitEvents(const HostRoot& root, std::string cgroup) {
  CountSum sum;
  while (true) {
    const Result<std::string> text = root.Read(FileOf(cgroup, "memory.events.local"));
    if (text) {
      Count events = CgroupLimitEvents(*text);
      if (!events.has_value()) return events;
      sum.Add(events.value());
    }
    if (cgroup.size() <= 1) break;
    cgroup.resize(std::max<size_t>(cgroup.rfind('/'), 1));
  }
  return sum.Get("limit on the memory of plectl's cgroup");
}

// A number of a cpu.stat, which has it only where the cgroup can have a quota.
void AddStat(std::string_view text, std::string_view name, CountSum& sum) {
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    if (NextWord(line) == name) sum.Add(NextWord(line));
  }
}

// The cgroups whose CPU quotas bind this process.
std::optional<CgroupChain> CpuChain(const HostRoot& root) {
  auto chain = CgroupChainV1(root, "self", "cpu");
  if (chain && !*chain) chain = CgroupChainV2(root, "self");
  return chain ? *std::move(chain) : std::nullopt;
}

// How often and how long quotas of this cgroup and those above it kept tasks from running.
void ReadThrottling(const HostRoot& root, NoiseCounts& counts) {
  constexpr uint64_t kNsPerUs = 1000;
  const std::optional<CgroupChain> chain = CpuChain(root);
  if (!chain) {
    counts[Q::kThrottledPeriods] = counts[Q::kThrottledUs] =
        Count::Missing("plectl is in no cgroup that shows its CPU quota");
    return;
  }
  const bool is_v2 = chain->version == 2;
  CountSum periods;
  CountSum time;
  for (const CgroupFolder& cgroup : chain->folders) {
    const std::string text = root.Read(cgroup.folder + "/cpu.stat").value_or("");
    AddStat(text, "nr_throttled", periods);
    AddStat(text, is_v2 ? "throttled_usec" : "throttled_time", time);
  }
  counts[Q::kThrottledPeriods] = periods.Get("CPU quota that plectl's cgroup could have");
  Count all = time.Get("CPU quota that plectl's cgroup could have");
  counts[Q::kThrottledUs] = all.has_value() && !is_v2 ? Count(all.value() / kNsPerUs) : all;
}

// Only what is no root has memory.events: the top of what a cgroup namespace shows is none.
bool TopIsRoot(const HostRoot& root) { return !root.Exists(FileOf("/", "memory.events")); }

}  // namespace

void ReadCgroupNoise(const HostRoot& root, NoiseSample& sample) {
  ReadThrottling(root, sample.counts);
  const std::string cgroups = root.Read("/proc/self/cgroup").value_or("");
  sample.cgroup = LineAfter(cgroups, "0::").value_or("");
  const bool top_is_root = TopIsRoot(root);
  sample.all_pgscan = top_is_root
                          ? CountIn(root, FileOf("/", "memory.stat"), CgroupPagesScanned)
                          : Count::Missing("a cgroup namespace hides the host's root cgroup");
  NoiseCounts& counts = sample.counts;
  if (!sample.cgroup.starts_with('/') || (sample.cgroup == "/" && top_is_root)) {
    counts[Q::kOwnPgscan] = counts[Q::kLimitEvents] = counts[Q::kOwnPsiMemorySomeUs] =
        Count::Missing(sample.cgroup == "/" ? "plectl is in the root cgroup, which has no limits"
                                            : "plectl is in no cgroup of version 2");
    return;
  }
  counts[Q::kLimitEvents] = LimitEvents(root, sample.cgroup);
  counts[Q::kOwnPgscan] = CountIn(root, FileOf(sample.cgroup, "memory.stat"), CgroupPagesScanned);
  counts[Q::kOwnPsiMemorySomeUs] =
      CountIn(root, FileOf(sample.cgroup, "memory.pressure"),
              [](std::string_view text) { return PressureTotalUs(text, "some"); });
}

}  // namespace plectl::host
