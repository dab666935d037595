// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// What decides how much a directed yield, which is all that KVM does after a PAUSE exit, helps:
// asked of the running kernel, since distributions and settings move it and versions do not tell.
// A text that begins with "unknown" says why.
struct SchedulerFacts {
  // "yes" or "no": whether a task that yields forfeits its claim to the CPU (79104becf42b).
  std::string forfeits_on_yield = "unknown";
  std::string forfeits_because;
  // "yes" or "no": whether slices end on time, by a timer, and not at the next tick.
  std::string hrtick = "unknown";
  // "no", or the cgroup_mode of a kernel that picks from one queue per CPU, whatever the cgroups.
  std::string flat_pick = "unknown";
  // "none", or the name of the BPF scheduler that runs now.
  std::string sched_ext = "unknown";
  // "yes" or "no": whether that has an operation `yield`; "none" where none runs. Without, each
  // directed yield is refused.
  std::string sched_ext_yields = "unknown";
  // "no" or "yes": whether this process has a cookie of core scheduling.
  std::string core_scheduling = "unknown";
  std::optional<uint64_t> base_slice_ns;
  std::string preemption = "unknown";  // "none", "voluntary", "full" or "lazy"
};

// Of a real root: measures forfeits_on_yield, which takes 60 ms of one CPU, or longer on a busy
// one. The files of debugfs are for root only.
SchedulerFacts ReadSchedulerFacts(const HostRoot& root);

}  // namespace plectl::host
