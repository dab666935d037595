// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "host_tools/host/ple_params.h"
#include "host_tools/monitor/bpf/vcpu_counts.h"

namespace plectl::monitor {

// Which slot the BPF programs count an exit code in, and what the slots are called. All codes that
// the kernel's tables name have one of their own, then those that they do not name, from 0 on, as
// far as it goes; the others share kUnnamedSlot, "OTHER".
struct ExitSlotTable {
  std::array<uint8_t, kTableCodes> slot_of_code = {};
  std::array<std::string, kSlots> names;  // empty: no code has it
  uint32_t pause_slot = kUnnamedSlot;
};

ExitSlotTable MakeExitSlotTable(host::KvmModule module);

}  // namespace plectl::monitor
