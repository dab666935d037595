// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// "perf-exit": total and PAUSE exits by vCPU, and window updates without their direction, by perf
// counters on KVM's tracepoints. Needs tracefs. Environment error when this kernel or user may not.
Result<std::unique_ptr<ExitCounter>> OpenPerfExitCounter(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
