// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/vm_record.h"

namespace plectl::monitor {
namespace {

void AddTimes(const ThreadTimes& more, ThreadTimes& sum) {
  sum.user_ticks += more.user_ticks;
  sum.system_ticks += more.system_ticks;
  sum.guest_ticks += more.guest_ticks;
  if (sum.run_delay_ns && more.run_delay_ns) {
    *sum.run_delay_ns += *more.run_delay_ns;
  } else {
    sum.run_delay_ns.reset();
  }
}

// Both kinds of counts have the same members.
template <class Counts>
void AddCounts(const Counts& more, Totals& sum) {
  for (size_t i = 0; i < kSlots; ++i) sum.exits[i] += more.exits[i];
  for (size_t i = 0; i < kYieldResults; ++i) sum.yields[i] += more.yields[i];
  sum.pause_times.total_ns += more.pause_times.total_ns;
  for (size_t i = 0; i < kHandlingBuckets; ++i) {
    sum.pause_times.log2_ns[i] += more.pause_times.log2_ns[i];
  }
  sum.window_grows += more.window_grows;
  sum.window_shrinks += more.window_shrinks;
}

}  // namespace

void Totals::Add(const VcpuCounts& counts) { AddCounts(counts, *this); }
void Totals::Add(const Totals& more) { AddCounts(more, *this); }

std::optional<ThreadTimes> VcpuRecord::Times() const {
  ThreadTimes sum = ended_times;
  for (const VcpuThread& thread : threads) {
    if (!thread.times) return std::nullopt;
    AddTimes(*thread.times, sum);
  }
  return sum;
}

}  // namespace plectl::monitor
