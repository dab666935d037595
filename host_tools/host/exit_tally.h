// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "host_tools/host/bpf/exit_slots.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// One vCPU's row of counters as the BPF program writes it (bpf/exit_slots.h).
using ExitRow = std::span<const __u64, kExitSlots>;

// Adds the exits of one more vCPU to `counts`: total, by reason, PAUSE exits. Exits in the shared
// slot are named "OTHER".
void AddVcpuExits(KvmModule module, ExitRow row, ExitCounts& counts);

}  // namespace plectl::host
