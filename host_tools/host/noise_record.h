// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/count.h"

namespace plectl::host {

// What the noise watch reads, in the order of kNoiseQuantities. Pages and events are the kernel's
// own counters (docs/noise.md).
enum class NoiseQuantity {
  // /proc/vmstat: of the whole host, but for what limits of cgroups cause
  kPgscanKswapd,
  kPgscanDirect,
  kPgstealKswapd,
  kPgstealDirect,
  kAllocstall,
  kCompactStall,
  kPswpin,
  kPswpout,
  kOomKill,
  // /proc/zoneinfo: sums over all zones
  kFreePagesStart,
  kFreePagesEnd,
  kActiveAnonPagesStart,
  kActiveAnonPagesEnd,
  kInactiveAnonPagesStart,
  kInactiveAnonPagesEnd,
  kActiveFilePagesStart,
  kActiveFilePagesEnd,
  kInactiveFilePagesStart,
  kInactiveFilePagesEnd,
  kMinPages,
  kLowPages,
  kHighPages,
  kWorstFreePercentOfLow,  // of the zone that is closest to its low watermark
  // /proc/pressure
  kPsiCpuSomeUs,
  kPsiMemorySomeUs,
  kPsiMemoryFullUs,
  kPsiIoSomeUs,
  kPsiIoFullUs,
  // cgroup v2
  kMemcgPgscan,         // pages scanned for limits of cgroups, anywhere on the host
  kOwnPgscan,           // of plectl's own cgroup, whatever for
  kLimitEvents,         // memory.max or memory.high of that cgroup or an ancestor was hit
  kOwnPsiMemorySomeUs,  // of that cgroup
  kThrottledPeriods,    // a CPU quota of that cgroup or an ancestor was used up (v1 too)
  kThrottledUs,
  kCgroupMoved,  // 1: plectl was moved to another cgroup
  // the measured CPUs together
  kBusyNs,               // they ran any task
  kForeignNs,            // of it, tasks that are not plectl's
  kForeignResolutionNs,  // how far off kForeignNs can be
  kTimeslices,           // how often a task was switched to
  kStealNs,
  kIrqNs,
  kSoftirqNs,
  kHostContextSwitches,  // of all CPUs of the host
  kLostNs,               // they ran nothing while a vCPU thread of theirs wanted to run
  kOnlineChanges,        // 1: CPUs of the host went or came
  // /proc/interrupts, the measured CPUs together
  kTimerIrqs,
  kIpiIrqs,  // reschedule, function call, IRQ work and posted interrupts: belong to every trial
  kTlbIrqs,
  kDeviceIrqs,
  kOtherIrqs,
  // frequency and what takes the CPU away from the kernel itself
  kAverageKhz,
  kKhzStart,
  kKhzEnd,
  kThrottleEvents,
  kSmis,
  kLimitChanges,  // measured CPUs whose governor or frequency limits changed
  // the vCPU threads
  kMoved,        // those that may use other CPUs than before, or ended on another
  kMigrations,   // from one CPU to another, all threads together
  kRescheduled,  // those with another scheduling policy, priority or nice value than before
  kTraced,       // those that a debugger or tracer was attached to
  kStoppedNs,    // the longest that one neither ran nor waited for a CPU nor slept by itself
  // clocks
  kSuspendedNs,
  kClocksourceChanges,
};
inline constexpr size_t kNoiseQuantityCount =
    static_cast<size_t>(NoiseQuantity::kClocksourceChanges) + 1;

// How a quantity comes out of the samples at both ends of a trial.
enum class NoiseKind {
  kDelta,    // the counter's end less its start
  kStart,    // a gauge at the start
  kEnd,      // a gauge at the end
  kDerived,  // computed from others, NoiseBetween()
};

struct NoiseQuantityInfo {
  NoiseQuantity quantity;
  std::string_view group;  // the object of a record's "noise" that holds it
  std::string_view name;
  NoiseKind kind;
};
std::span<const NoiseQuantityInfo, kNoiseQuantityCount> NoiseQuantities();

// One count per quantity, all missing at first.
class NoiseCounts {
 public:
  NoiseCounts() : counts_(kNoiseQuantityCount, Count::Missing("not read")) {}
  Count& operator[](NoiseQuantity quantity) { return counts_[static_cast<size_t>(quantity)]; }
  const Count& operator[](NoiseQuantity quantity) const {
    return counts_[static_cast<size_t>(quantity)];
  }
  friend bool operator==(const NoiseCounts&, const NoiseCounts&) = default;

 private:
  std::vector<Count> counts_;
};

// A line of /proc/interrupts and how often it fired on the measured CPUs.
using NoiseIrq = std::pair<std::string, uint64_t>;

// What disturbed one trial, or could have.
struct NoiseRecord {
  int64_t window_ns = 0;  // between the two samples
  NoiseCounts counts;
  std::string worst_zone;          // "Node 0, zone DMA32"; empty when it is not known
  std::vector<NoiseIrq> top_irqs;  // at most 3, most first; timers and IPIs left out
  friend bool operator==(const NoiseRecord&, const NoiseRecord&) = default;
};

}  // namespace plectl::host
