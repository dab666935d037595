// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/exit_slot_table.h"

#include "host_tools/host/exit_reasons.h"

namespace plectl::monitor {
namespace {

uint32_t CodeAt(uint32_t place) {
  return place < kDirectCodes ? place : place - kDirectCodes + kHighCodeFirst;
}

}  // namespace

ExitSlotTable MakeExitSlotTable(host::KvmModule module) {
  ExitSlotTable table;
  table.names[kUnnamedSlot] = "OTHER";
  uint32_t next = kUnnamedSlot + 1;
  for (const bool named : {true, false}) {
    for (uint32_t place = 0; place < kTableCodes && next < kSlots; ++place) {
      std::string name = host::ExitReasonName(module, CodeAt(place));
      if (name.starts_with("REASON_") == named) continue;
      table.slot_of_code[place] = static_cast<uint8_t>(next);
      table.names[next++] = std::move(name);
    }
  }
  table.pause_slot = table.slot_of_code[host::PauseExitCode(module)];
  return table;
}

}  // namespace plectl::monitor
