// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "host_tools/base/proc_stat.h"
#include "host_tools/base/text.h"
#include "host_tools/host/noise_text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using Places = std::vector<std::optional<ThreadPlace>>;

std::string FileOf(pid_t tid, std::string_view name) {
  return fmt::format("/proc/self/task/{}/{}", tid, name);
}

// Fields of /proc/PID/stat (proc(5)). The nice value may be negative, so it is kept as text.
std::string SchedulingOf(std::string_view stat) {
  constexpr size_t kNice = 19;
  constexpr size_t kRtPriority = 40;
  constexpr size_t kPolicy = 41;
  const size_t after_name = stat.rfind(')');
  std::string_view rest = stat.substr(std::min(after_name, stat.size() - 1) + 1);
  std::string text;
  for (size_t field = 3; field <= kPolicy; ++field) {
    const std::string_view word = NextWord(rest);
    if (field == kNice || field == kRtPriority || field == kPolicy)
      text += fmt::format("{} ", word);
  }
  return text;
}

std::optional<ThreadPlace> ReadPlace(const HostRoot& root, pid_t tid) {
  constexpr size_t kLastCpu = 39;
  const Result<std::string> stat = root.Read(FileOf(tid, "stat"));
  const Result<std::string> status = root.Read(FileOf(tid, "status"));
  if (!stat || stat->empty() || !status) return std::nullopt;
  const std::optional<uint64_t> cpu = ProcStatField(*stat, kLastCpu);
  if (!cpu) return std::nullopt;
  const std::string tracer = std::string(Trim(LineAfter(*status, "TracerPid:").value_or("")));
  return ThreadPlace{
      .allowed_cpus = std::string(Trim(LineAfter(*status, "Cpus_allowed_list:").value_or(""))),
      .last_cpu = *cpu,
      .scheduling = SchedulingOf(*stat),
      .traced = !tracer.empty() && tracer != "0"};
}

// "se.nr_migrations  :  12", where the kernel has CONFIG_SCHED_DEBUG.
Count Migrations(const HostRoot& root, std::span<const pid_t> tids) {
  CountSum sum;
  for (const pid_t tid : tids) {
    const Result<std::string> text = root.Read(FileOf(tid, "sched"));
    if (!text) return Count::Missing(text.error().message);
    std::string_view rest = *text;
    while (!rest.empty()) {
      std::string_view line = NextLine(rest);
      if (NextWord(line) != "se.nr_migrations") continue;
      NextWord(line);  // the colon
      sum.Add(NextWord(line));
    }
  }
  return sum.Get("count of migrations in /proc/PID/sched");
}

bool IsMoved(const ThreadPlace& start, const ThreadPlace& end) {
  // A pinned thread may use one CPU, whose number is then the whole list.
  const std::optional<uint64_t> pinned = ParseUint(start.allowed_cpus);
  return start.allowed_cpus != end.allowed_cpus || (pinned && *pinned != end.last_cpu);
}

}  // namespace

Places ReadThreadPlaces(const HostRoot& root, std::span<const pid_t> tids, NoiseCounts& counts) {
  Places places;
  for (const pid_t tid : tids) places.push_back(ReadPlace(root, tid));
  counts[Q::kMigrations] = Migrations(root, tids);
  return places;
}

void CompareThreadPlaces(const Places& start, const Places& end, NoiseCounts& counts) {
  CountSum moved;
  CountSum rescheduled;
  CountSum traced;
  for (size_t i = 0; i < std::min(start.size(), end.size()); ++i) {
    if (!start[i] || !end[i]) continue;
    moved.Add(uint64_t{IsMoved(*start[i], *end[i])});
    rescheduled.Add(uint64_t{start[i]->scheduling != end[i]->scheduling});
    traced.Add(uint64_t{start[i]->traced || end[i]->traced});
  }
  constexpr std::string_view kWhat = "vCPU thread whose files could be read";
  counts[Q::kMoved] = moved.Get(kWhat);
  counts[Q::kRescheduled] = rescheduled.Get(kWhat);
  counts[Q::kTraced] = traced.Get(kWhat);
}

}  // namespace plectl::host
