// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/real_time.h"

#include <fmt/format.h>

namespace plectl::host {

Result<std::string> WarningOfFifo(const HostRoot& root, uint64_t deadline_ms) {
  constexpr uint64_t kDeadlineMaxMs = 60'000;
  if (root.ReadTrimmed("/proc/sys/kernel/sched_rt_runtime_us").value_or("") != "-1") return "";
  const std::string what = fmt::format(
      "scheduling: fifo can take a CPU from everything else for {} s (deadline_ms): this kernel "
      "does "
      "not throttle real-time tasks (kernel.sched_rt_runtime_us is -1)",
      (deadline_ms + 999) / 1000);
  if (deadline_ms <= kDeadlineMaxMs) return what;
  return Environment(what, fmt::format("sudo sysctl kernel.sched_rt_runtime_us=950000, or a "
                                       "deadline_ms of at most {} in the plan",
                                       kDeadlineMaxMs));
}

}  // namespace plectl::host
