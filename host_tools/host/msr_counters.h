// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/noise_sample.h"
#include "host_tools/host/perf_event.h"

namespace plectl::host {

// The number of a perf event from its file in sysfs: "event=0x04".
std::optional<uint64_t> ParsePerfEventConfig(std::string_view text);

// Free-running MSRs of host CPUs, read through perf's PMU "msr": no driver has to be loaded and
// nothing is written to the CPU. A CPU's events are opened when it is read first.
class MsrCounters {
 public:
  explicit MsrCounters(HostRoot root) : root_(std::move(root)) {}

  // Sums over `cpus` since their events were opened, missing where one of them has none.
  [[nodiscard]] MsrCounts Read(std::span<const int> cpus);

 private:
  [[nodiscard]] Count Sum(const std::string& event, std::span<const int> cpus);
  [[nodiscard]] Result<uint64_t> Read(const std::string& event, int cpu);
  [[nodiscard]] Result<PerfEvent> Open(const std::string& event, int cpu) const;

  HostRoot root_;
  std::map<std::pair<std::string, int>, Result<PerfEvent>> events_;  // failures too: tried once
};

}  // namespace plectl::host
