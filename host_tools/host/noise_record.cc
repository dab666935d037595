// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_record.h"

#include <array>

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using K = NoiseKind;

constexpr std::string_view kVmstat = "vmstat";
constexpr std::string_view kZones = "zones";
constexpr std::string_view kPressure = "pressure";
constexpr std::string_view kCgroup = "cgroup";
constexpr std::string_view kCpus = "cpus";
constexpr std::string_view kIrqs = "irqs";
constexpr std::string_view kFrequency = "frequency";
constexpr std::string_view kThreads = "threads";
constexpr std::string_view kClock = "clock";

constexpr std::array<NoiseQuantityInfo, kNoiseQuantityCount> kQuantities = {{
    {Q::kPgscanKswapd, kVmstat, "pgscan_kswapd", K::kDelta},
    {Q::kPgscanDirect, kVmstat, "pgscan_direct", K::kDelta},
    {Q::kPgstealKswapd, kVmstat, "pgsteal_kswapd", K::kDelta},
    {Q::kPgstealDirect, kVmstat, "pgsteal_direct", K::kDelta},
    {Q::kAllocstall, kVmstat, "allocstall", K::kDelta},
    {Q::kCompactStall, kVmstat, "compact_stall", K::kDelta},
    {Q::kPswpin, kVmstat, "pswpin", K::kDelta},
    {Q::kPswpout, kVmstat, "pswpout", K::kDelta},
    {Q::kOomKill, kVmstat, "oom_kill", K::kDelta},
    {Q::kFreePagesStart, kZones, "free_pages_start", K::kStart},
    {Q::kFreePagesEnd, kZones, "free_pages_end", K::kEnd},
    {Q::kActiveAnonPagesStart, kZones, "active_anon_pages_start", K::kStart},
    {Q::kActiveAnonPagesEnd, kZones, "active_anon_pages_end", K::kEnd},
    {Q::kInactiveAnonPagesStart, kZones, "inactive_anon_pages_start", K::kStart},
    {Q::kInactiveAnonPagesEnd, kZones, "inactive_anon_pages_end", K::kEnd},
    {Q::kActiveFilePagesStart, kZones, "active_file_pages_start", K::kStart},
    {Q::kActiveFilePagesEnd, kZones, "active_file_pages_end", K::kEnd},
    {Q::kInactiveFilePagesStart, kZones, "inactive_file_pages_start", K::kStart},
    {Q::kInactiveFilePagesEnd, kZones, "inactive_file_pages_end", K::kEnd},
    {Q::kMinPages, kZones, "min_pages", K::kEnd},
    {Q::kLowPages, kZones, "low_pages", K::kEnd},
    {Q::kHighPages, kZones, "high_pages", K::kEnd},
    {Q::kWorstFreePercentOfLow, kZones, "worst_free_percent_of_low", K::kEnd},
    {Q::kPsiCpuSomeUs, kPressure, "cpu_some_us", K::kDelta},
    {Q::kPsiMemorySomeUs, kPressure, "memory_some_us", K::kDelta},
    {Q::kPsiMemoryFullUs, kPressure, "memory_full_us", K::kDelta},
    {Q::kPsiIoSomeUs, kPressure, "io_some_us", K::kDelta},
    {Q::kPsiIoFullUs, kPressure, "io_full_us", K::kDelta},
    {Q::kMemcgPgscan, kCgroup, "memcg_pgscan", K::kDerived},
    {Q::kOwnPgscan, kCgroup, "own_pgscan", K::kDelta},
    {Q::kLimitEvents, kCgroup, "limit_events", K::kDelta},
    {Q::kOwnPsiMemorySomeUs, kCgroup, "own_memory_some_us", K::kDelta},
    {Q::kThrottledPeriods, kCgroup, "throttled_periods", K::kDelta},
    {Q::kThrottledUs, kCgroup, "throttled_us", K::kDelta},
    {Q::kCgroupMoved, kCgroup, "moved", K::kDerived},
    {Q::kBusyNs, kCpus, "busy_ns", K::kDerived},
    {Q::kForeignNs, kCpus, "foreign_ns", K::kDerived},
    {Q::kForeignResolutionNs, kCpus, "foreign_resolution_ns", K::kDerived},
    {Q::kTimeslices, kCpus, "timeslices", K::kDelta},
    {Q::kStealNs, kCpus, "steal_ns", K::kDelta},
    {Q::kIrqNs, kCpus, "irq_ns", K::kDelta},
    {Q::kSoftirqNs, kCpus, "softirq_ns", K::kDelta},
    {Q::kHostContextSwitches, kCpus, "host_context_switches", K::kDelta},
    {Q::kLostNs, kCpus, "lost_ns", K::kDerived},
    {Q::kOnlineChanges, kCpus, "online_changes", K::kDerived},
    {Q::kTimerIrqs, kIrqs, "timer", K::kDelta},
    {Q::kIpiIrqs, kIrqs, "ipi", K::kDelta},
    {Q::kTlbIrqs, kIrqs, "tlb", K::kDelta},
    {Q::kDeviceIrqs, kIrqs, "device", K::kDelta},
    {Q::kOtherIrqs, kIrqs, "other", K::kDelta},
    {Q::kAverageKhz, kFrequency, "average_khz", K::kDerived},
    {Q::kKhzStart, kFrequency, "khz_start", K::kStart},
    {Q::kKhzEnd, kFrequency, "khz_end", K::kEnd},
    {Q::kThrottleEvents, kFrequency, "throttle_events", K::kDelta},
    {Q::kSmis, kFrequency, "smis", K::kDelta},
    {Q::kLimitChanges, kFrequency, "limit_changes", K::kDerived},
    {Q::kMoved, kThreads, "moved", K::kDerived},
    {Q::kMigrations, kThreads, "migrations", K::kDelta},
    {Q::kRescheduled, kThreads, "rescheduled", K::kDerived},
    {Q::kTraced, kThreads, "traced", K::kDerived},
    {Q::kStoppedNs, kThreads, "stopped_ns", K::kDerived},
    {Q::kSuspendedNs, kClock, "suspended_ns", K::kDelta},
    {Q::kClocksourceChanges, kClock, "source_changes", K::kDerived},
}};

// A forgotten line would leave an empty name; a wrong order would name another quantity.
constexpr bool InOrder() {
  for (size_t i = 0; i < kQuantities.size(); ++i) {
    if (static_cast<size_t>(kQuantities[i].quantity) != i) return false;
  }
  return true;
}
static_assert(InOrder());

}  // namespace

std::span<const NoiseQuantityInfo, kNoiseQuantityCount> NoiseQuantities() { return kQuantities; }

}  // namespace plectl::host
