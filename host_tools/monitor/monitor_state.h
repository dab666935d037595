// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "host_tools/monitor/exit_slot_table.h"
#include "host_tools/monitor/kernel_counts.h"
#include "host_tools/monitor/module_watch.h"
#include "host_tools/monitor/sampler.h"

namespace plectl::monitor {

// What the monitor says of itself.
struct OwnState {
  std::optional<bool> bpf_healthy;  // nothing when no probes are wanted
  bool vms_healthy = false;
  uint64_t lost_exits = 0;
  std::map<std::string, ProbeCost> probe_costs;  // by program; of all times that it was attached
  double scrape_s = 0;                           // of the last one that was finished
  uint64_t scrapes_complete = 0;
  uint64_t scrapes_deadline = 0;
};

// All that a scrape is made of.
struct MonitorState {
  MonitorState(const HostRoot& root, const SamplerOptions& options)
      : sampler(root, options), modules(root) {}

  Sampler sampler;
  ModuleWatch modules;
  std::optional<ExitSlotTable> slots;  // nothing before probes were attached
  std::optional<SlotTimes> exit_times;
  bool counts_yields = false;
  bool counts_times = false;
};

}  // namespace plectl::monitor
