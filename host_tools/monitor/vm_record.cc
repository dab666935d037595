// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/vm_record.h"

#include <algorithm>

namespace plectl::monitor {
namespace {

// Both kinds of counts have the same members.
template <class Counts>
void AddCounts(const Counts& more, Totals& sum) {
  for (size_t i = 0; i < kSlots; ++i) sum.exits[i] += more.exits[i];
  for (size_t i = 0; i < kYieldResults; ++i) sum.yields[i] += more.yields[i];
  AddTo(sum.pause_times, more.pause_times);
  sum.window_grows += more.window_grows;
  sum.window_shrinks += more.window_shrinks;
}

}  // namespace

void AddTo(TimeHistogram& sum, const TimeHistogram& more) {
  sum.total_ns += more.total_ns;
  for (size_t i = 0; i < kHandlingBuckets; ++i) sum.log2_ns[i] += more.log2_ns[i];
}

void Totals::Add(const VcpuCounts& counts) { AddCounts(counts, *this); }
void Totals::Add(const Totals& more) { AddCounts(more, *this); }

void VcpuClocks::Add(const VcpuCounts& counts) {
  const uint64_t with_guest_ns = counts.last.user_ns - counts.first.user_ns;
  const uint64_t of_guest_ns = counts.last.guest_ns - counts.first.guest_ns;
  // The kernel does not add to both in one step.
  user_ns += with_guest_ns - std::min(with_guest_ns, of_guest_ns);
  guest_ns += of_guest_ns;
  system_ns += counts.last.system_ns - counts.first.system_ns;
  if (counts.has_run_delay == 0) run_delay_ns.reset();
  if (run_delay_ns) *run_delay_ns += counts.last.run_delay_ns - counts.first.run_delay_ns;
}

void VcpuTotals::Add(const VcpuCounts& counts, uint32_t pause_slot) {
  pause_exits += counts.exits[pause_slot];
  clocks.Add(counts);
  for (size_t i = 0; i < exits.size(); ++i) exits[i] += counts.exits[i];
}

}  // namespace plectl::monitor
