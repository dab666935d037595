// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host_tools/host/bpf/exit_slots.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// One vCPU's exits as the BPF program counts them (bpf/exit_slots.h).
using ExitRow = std::span<const __u64, kExitSlots>;

// The reason that a slot of the row stands for; "OTHER" for the shared one.
std::string SlotName(KvmModule module, uint32_t slot);

// Adds the exits of one more vCPU to `counts`: total, by reason and vCPU,
// PAUSE exits.
void AddVcpuExits(KvmModule module, ExitRow row, ExitCounts& counts);

// Empty, or that exits of these rows have no reason: it could not be read, or is none that Linux
// knows. Any of them may have been a PAUSE exit.
std::string UnknownReasonsBecause(std::span<const VcpuRow> rows);

// Fills in the window updates of the vCPUs that these are the rows of.
void AddWindowUpdates(std::span<const VcpuRow> rows, ExitCounts& counts);

}  // namespace plectl::host
