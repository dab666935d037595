// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/exit_tally.h"

#include <fmt/format.h>

#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "host_tools/host/exit_reasons.h"

namespace plectl::host {
namespace {

void Add(uint64_t more, Count& count) { count = (count.has_value() ? count.value() : 0) + more; }

}  // namespace

std::string SlotName(KvmModule module, uint32_t slot) {
  if (slot < kDirectSlots) return ExitReasonName(module, slot);
  if (slot < kOtherSlot) return ExitReasonName(module, slot - kDirectSlots + kSvmHighCodeFirst);
  return "OTHER";
}

void AddVcpuExits(KvmModule module, ExitRow row, ExitCounts& counts) {
  std::map<std::string, uint64_t> by_reason;
  for (uint32_t slot = 0; slot < row.size(); ++slot) {
    if (row[slot] != 0) by_reason[SlotName(module, slot)] += row[slot];
  }
  for (const auto& [reason, exits] : by_reason) counts.by_reason[reason] += exits;
  const uint64_t pause_exits = row[slot_of_exit_code(PauseExitCode(module))];
  Add(std::accumulate(row.begin(), row.end(), uint64_t{0}), counts.total);
  Add(pause_exits, counts.pause_exits);
  VcpuCounts vcpu;
  vcpu.pause_exits = pause_exits;
  vcpu.by_reason = std::move(by_reason);
  counts.vcpus.push_back(std::move(vcpu));
}

std::string UnknownReasonsBecause(std::span<const VcpuRow> rows) {
  uint64_t unknown = 0;
  for (const VcpuRow& row : rows) unknown += row.exits[kOtherSlot];
  return unknown == 0 ? std::string()
                      : fmt::format("the reasons of {} exits could not be read", unknown);
}

void AddWindowUpdates(std::span<const VcpuRow> rows, ExitCounts& counts) {
  uint64_t growths = 0;
  uint64_t shrinks = 0;
  for (const VcpuRow& row : rows) {
    growths += row.window_growths;
    shrinks += row.window_shrinks;
  }
  counts.window_growths = growths;
  counts.window_shrinks = shrinks;
  counts.window_updates = growths + shrinks;
}

}  // namespace plectl::host
