// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/exit_tally.h"

#include <numeric>
#include <string>

#include "host_tools/host/exit_reasons.h"

namespace plectl::host {
namespace {

std::string SlotName(KvmModule module, uint32_t slot) {
  if (slot < kDirectSlots) return ExitReasonName(module, slot);
  if (slot < kOtherSlot) return ExitReasonName(module, slot - kDirectSlots + kSvmHighCodeFirst);
  return "OTHER";
}

void Add(uint64_t more, Count& count) { count = (count.has_value() ? count.value() : 0) + more; }

}  // namespace

void AddVcpuExits(KvmModule module, ExitRow row, ExitCounts& counts) {
  for (uint32_t slot = 0; slot < row.size(); ++slot) {
    if (row[slot] != 0) counts.by_reason[SlotName(module, slot)] += row[slot];
  }
  const uint64_t pause_exits = row[slot_of_exit_code(PauseExitCode(module))];
  Add(std::accumulate(row.begin(), row.end(), uint64_t{0}), counts.total);
  Add(pause_exits, counts.pause_exits);
  counts.pause_exits_by_vcpu.push_back(pause_exits);
}

}  // namespace plectl::host
