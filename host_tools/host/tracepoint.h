// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// The id of a tracepoint such as ("kvm", "kvm_exit") as perf_event_open(2) wants it, from tracefs
// at /sys/kernel/tracing or /sys/kernel/debug/tracing. An Environment error tells a tracefs that is
// not mounted from a tracepoint that this kernel lacks.
Result<uint64_t> TracepointId(const HostRoot& root, std::string_view system, std::string_view name);

}  // namespace plectl::host
