// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// SCHED_FIFO vCPUs take their CPUs from everything else until the guest's deadline, unless the
// kernel throttles real-time tasks (kernel.sched_rt_runtime_us). Where it does not: Environment
// error for a deadline above a minute, else what to warn of. "" where it does.
Result<std::string> WarningOfFifo(const HostRoot& root, uint64_t deadline_ms);

}  // namespace plectl::host
