// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/detail_tally.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "host_tools/host/exit_tally.h"

namespace plectl::host {
namespace {

WindowChange ChangeOf(const WindowLogEntry& entry) {
  return {.time_ns = static_cast<int64_t>(entry.time_ns),
          .old_window = entry.old_window,
          .new_window = entry.new_window};
}

ExitTimes OfSlot(const SlotTimes& slot, bool pending) {
  ExitTimes times;
  times.count = slot.count;
  times.unfinished = slot.unfinished + (pending ? 1 : 0);
  times.total_ns = slot.total_ns;
  times.min_ns = slot.min_ns;
  times.max_ns = slot.max_ns;
  times.log2_ns.assign(std::begin(slot.log2_ns), std::end(slot.log2_ns));
  while (!times.log2_ns.empty() && times.log2_ns.back() == 0) times.log2_ns.pop_back();
  return times;
}

}  // namespace

void ExitTimes::Add(const ExitTimes& more) {
  if (more.count > 0) {
    min_ns = count == 0 ? more.min_ns : std::min(min_ns, more.min_ns);
    max_ns = std::max(max_ns, more.max_ns);
  }
  count += more.count;
  unfinished += more.unfinished;
  total_ns += more.total_ns;
  if (log2_ns.size() < more.log2_ns.size()) log2_ns.resize(more.log2_ns.size());
  for (size_t i = 0; i < more.log2_ns.size(); ++i) log2_ns[i] += more.log2_ns[i];
}

WindowTrack TrackOf(const WindowLog& log) {
  WindowTrack track;
  track.changes = log.changes;
  track.max = static_cast<uint32_t>(log.max);
  const uint64_t in_ring = log.changes - std::min<uint64_t>(log.changes, kFirstChanges);
  const uint64_t first_kept_of_ring = log.changes - std::min<uint64_t>(in_ring, kLastChanges);
  for (uint64_t i = 0; i < std::min<uint64_t>(log.changes, kFirstChanges); ++i) {
    track.first.push_back(ChangeOf(log.entries[i]));
  }
  for (uint64_t i = first_kept_of_ring; i < log.changes; ++i) {
    track.last.push_back(ChangeOf(log.entries[window_log_index(i)]));
  }
  return track;
}

PauseRips RipsOf(const VcpuRips& rips) {
  PauseRips result;
  result.other = rips.other;
  for (const RipCount& entry : rips.entries) {
    if (entry.exits != 0) result.exits[entry.rip] = entry.exits;
  }
  return result;
}

DirectedYields YieldsOf(const VcpuYields& yields) {
  DirectedYields result;
  result.on_spin_calls = yields.on_spin_calls;
  result.without_candidate = yields.without_candidate;
  result.attempts = yields.attempts;
  result.succeeded = yields.succeeded;
  result.refused = yields.refused;
  result.not_needed = yields.not_needed;
  result.failed = yields.failed;
  for (uint32_t target = 0; target < kMaxVcpus; ++target) {
    if (yields.boosted[target] != 0) result.boosted[target] = yields.boosted[target];
  }
  return result;
}

std::map<std::string, ExitTimes> TimesOf(KvmModule module, const VcpuTimes& times,
                                         uint64_t pending_slot_plus_1) {
  std::map<std::string, ExitTimes> by_reason;
  for (uint32_t slot = 0; slot < kExitSlots; ++slot) {
    const ExitTimes of_slot = OfSlot(times.slots[slot], pending_slot_plus_1 == slot + 1);
    if (of_slot.count + of_slot.unfinished == 0) continue;
    by_reason[SlotName(module, slot)].Add(of_slot);
  }
  return by_reason;
}

}  // namespace plectl::host
