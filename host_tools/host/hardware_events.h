// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/host/cpu_info.h"
#include "host_tools/host/perf_event.h"

namespace plectl::host {

// One event of a CPU's core PMU as perf_event_open(2) takes it.
struct HardwareEvent {
  std::string_view name;  // as in records: "cycles_guest"
  uint32_t type = 0;      // PERF_TYPE_*
  uint64_t config = 0;
  ExecutedIn mode = ExecutedIn::kGuest;
};

// An event that records name, and how to count it on a CPU: not at all when this CPU has none.
struct HardwareQuantity {
  HardwareEvent event;
  std::string_view missing_because;  // not empty: this CPU cannot count it
};

// What is counted of each vCPU thread on this CPU, the same names on every CPU: cycles and
// instructions of guest and host, the guest's retired PAUSEs and machine clears for memory order.
std::vector<HardwareQuantity> HardwareQuantities(const CpuInfo& cpu);

}  // namespace plectl::host
