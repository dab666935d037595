// SPDX-License-Identifier: Apache-2.0
// An account of the vCPU threads' time that must add up, so that what stops or slows them is found
// whatever it is: a signal, a frozen cgroup, a quota, a debugger, an absent CPU.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// Of one vCPU's thread, from when it left the start barrier to its end.
struct VcpuTimes {
  int cpu = 0;  // that it is pinned to
  int64_t active_ns = 0;
  Count slept_ns = 0;    // the vCPU had nothing to do
  Count stopped_ns = 0;  // of active_ns: neither ran, nor waited for a CPU, nor slept
};
std::vector<VcpuTimes> TimesOf(std::span<const guests::VcpuResult> vcpus,
                               std::span<const int> cpus);

// The longest of all; missing when it is so for each vCPU.
Count LongestStopNs(std::span<const VcpuTimes> vcpus);

// How long the CPUs ran no task at all though a vCPU of theirs had something to do. `run_ns_on`
// says how long any task ran on a CPU.
Count LostNs(std::span<const VcpuTimes> vcpus, const std::function<Count(int cpu)>& run_ns_on);

}  // namespace plectl::experiment
