// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/host/noise_record.h"

namespace plectl::host {

// How a vCPU's thread is scheduled at one moment.
struct ThreadPlace {
  std::string allowed_cpus;  // "0" or "0-3"
  uint64_t last_cpu = 0;
  std::string scheduling;  // policy, real-time priority and nice value
  bool traced = false;     // a debugger or tracer is attached
};

// Where the threads are, and into `counts` how often the kernel moved them. Nothing for threads
// whose files cannot be read.
std::vector<std::optional<ThreadPlace>> ReadThreadPlaces(const HostRoot& root,
                                                         std::span<const pid_t> tids,
                                                         NoiseCounts& counts);

// Into `counts` what differs between the same threads at both ends.
void CompareThreadPlaces(const std::vector<std::optional<ThreadPlace>>& start,
                         const std::vector<std::optional<ThreadPlace>>& end, NoiseCounts& counts);

}  // namespace plectl::host
