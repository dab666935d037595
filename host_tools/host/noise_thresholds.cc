// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_thresholds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

namespace plectl::host {
namespace {

using Q = NoiseQuantity;

constexpr uint64_t kMsNs = 1'000'000;
constexpr std::string_view kFreeMemory = "free memory, or stop what fills it";
constexpr std::string_view kOwnLimits =
    "raise memory.high and memory.max of plectl's cgroup and those above it";

constexpr std::string_view kLeaveThreads =
    "leave the affinity of plectl's threads alone (taskset, cpusets, offline CPUs)";

// The reasons for the numbers are in docs/noise.md, whose table a test compares with this one.
constexpr std::array kThresholds = {
    NoiseThreshold{Q::kPgscanKswapd, 512, 1000, false, "kswapd reclaimed memory", "pages", 1,
                   kFreeMemory},
    NoiseThreshold{Q::kPgscanDirect, 32, 100, false, "tasks reclaimed memory themselves", "pages",
                   1, kFreeMemory},
    NoiseThreshold{Q::kAllocstall, 0, 1, false, "allocations stalled", "stalls", 1, kFreeMemory},
    NoiseThreshold{Q::kCompactStall, 10, 10, false, "memory was compacted", "stalls", 1,
                   "stop what takes huge pages, or set transparent_hugepage/defrag to never"},
    NoiseThreshold{Q::kPswpin, 32, 100, false, "pages were swapped in", "pages", 1, kFreeMemory},
    NoiseThreshold{Q::kPswpout, 32, 100, false, "pages were swapped out", "pages", 1, kFreeMemory},
    NoiseThreshold{Q::kOomKill, 0, 0, false, "the OOM killer ran", "kills", 1, kFreeMemory},
    NoiseThreshold{Q::kPsiMemorySomeUs, 500, 10'000, false, "tasks waited for memory", "ms", 1000,
                   kFreeMemory},
    NoiseThreshold{Q::kMemcgPgscan, 512, 1000, false, "a cgroup's limit made it reclaim memory",
                   "pages", 1, "raise the memory limit of the cgroup that hits it"},
    NoiseThreshold{Q::kOwnPgscan, 32, 100, false, "plectl's own cgroup was reclaimed from", "pages",
                   1, kOwnLimits},
    NoiseThreshold{Q::kLimitEvents, 0, 0, false, "plectl's cgroup hit its memory limit", "hits", 1,
                   kOwnLimits},
    NoiseThreshold{Q::kOwnPsiMemorySomeUs, 500, 10'000, false,
                   "tasks of plectl's cgroup waited for memory", "ms", 1000, kOwnLimits},
    NoiseThreshold{Q::kThrottledPeriods, 0, 0, false, "a CPU quota throttled plectl", "times", 1,
                   "raise the CPU quota (cpu.max, cpu.cfs_quota_us) of plectl's cgroup and those "
                   "above it"},
    NoiseThreshold{Q::kCgroupMoved, 0, 0, false, "plectl was moved to another cgroup", "moves", 1,
                   "leave plectl in the cgroup that it was started in"},
    NoiseThreshold{Q::kStoppedNs, 3 * kMsNs, 20 * kMsNs, false,
                   "a vCPU thread was stopped, frozen, traced or robbed of its CPU", "ms", kMsNs,
                   "send plectl no stop signals, freeze no cgroup of it, attach no debugger"},
    NoiseThreshold{Q::kLostNs, 5 * kMsNs, 20 * kMsNs, true,
                   "the measured CPUs stood idle while vCPUs wanted to run", "ms", kMsNs,
                   "look for CPU quotas, offline CPUs and a hypervisor below this host"},
    NoiseThreshold{Q::kMoved, 0, 0, false, "vCPU threads were moved to other CPUs", "threads", 1,
                   kLeaveThreads},
    NoiseThreshold{Q::kMigrations, 0, 0, false, "vCPU threads changed their CPU", "times", 1,
                   kLeaveThreads},
    NoiseThreshold{Q::kRescheduled, 0, 0, false,
                   "the scheduling policy, priority or nice value of vCPU threads was changed",
                   "threads", 1, "leave the threads of plectl alone (chrt, renice, rtkit)"},
    NoiseThreshold{Q::kTraced, 0, 0, false, "vCPU threads were traced", "threads", 1,
                   "attach no debugger, strace or other tracer to plectl"},
    NoiseThreshold{Q::kOnlineChanges, 0, 0, false, "CPUs went offline or came online", "times", 1,
                   "change no CPUs while plectl measures (chcpu, cpu*/online, SMT control)"},
    NoiseThreshold{Q::kLimitChanges, 0, 0, false,
                   "the governor or frequency limits of measured CPUs changed", "CPUs", 1,
                   "stop what sets them (power daemons), or fix them before"},
    NoiseThreshold{Q::kSuspendedNs, kMsNs, 0, false, "the host was suspended", "ms", kMsNs,
                   "keep the host from sleeping (systemd-inhibit)"},
    NoiseThreshold{Q::kClocksourceChanges, 0, 0, false, "the clock source changed", "times", 1,
                   "look in dmesg for why, and fix it (clocksource=, tsc=reliable)"},
    NoiseThreshold{Q::kForeignNs, kMsNs, 10 * kMsNs, true, "foreign tasks ran on the measured CPUs",
                   "ms", kMsNs,
                   "keep other tasks off these CPUs (cpuset, isolcpus), or measure on others"},
    NoiseThreshold{Q::kStealNs, 10 * kMsNs, 10 * kMsNs, true, "the measured CPUs were stolen", "ms",
                   kMsNs, "this host is a VM: give it CPUs of its own"},
    NoiseThreshold{Q::kIrqNs, 20 * kMsNs, 50 * kMsNs, true, "interrupts took the measured CPUs",
                   "ms", kMsNs, "move interrupts to other CPUs (/proc/irq/*/smp_affinity)"},
    NoiseThreshold{Q::kSoftirqNs, 20 * kMsNs, 50 * kMsNs, true, "softirqs took the measured CPUs",
                   "ms", kMsNs, "move interrupts and RPS to other CPUs (/proc/irq/*/smp_affinity)"},
    NoiseThreshold{Q::kDeviceIrqs, 100, 1000, true, "devices interrupted the measured CPUs",
                   "interrupts", 1, "move them to other CPUs (/proc/irq/*/smp_affinity)"},
    NoiseThreshold{Q::kThrottleEvents, 0, 0, false, "the CPU was throttled for its heat", "events",
                   1, "cool the CPU, or cap its frequency"},
    NoiseThreshold{Q::kSmis, 0, 2, true, "the firmware took the CPUs (SMI)", "SMIs", 1,
                   "turn off the firmware's power and USB legacy features"},
};

double Readable(uint64_t value, const NoiseThreshold& threshold) {
  return static_cast<double>(value) / static_cast<double>(threshold.unit_divisor);
}

std::string NameOf(NoiseQuantity quantity) {
  const NoiseQuantityInfo& info = NoiseQuantities()[static_cast<size_t>(quantity)];
  return fmt::format("{}.{}", info.group, info.name);
}

// Whose interrupts they were.
std::string Culprits(const NoiseThreshold& threshold, const NoiseRecord& record) {
  if (threshold.quantity != Q::kDeviceIrqs || record.top_irqs.empty()) return "";
  std::vector<std::string> names;
  for (const auto& [name, fired] : record.top_irqs) {
    names.push_back(fmt::format("{}: {}", name, fired));
  }
  return fmt::format(" ({})", fmt::join(names, ", "));
}

std::string DetailOf(const NoiseThreshold& threshold, const NoiseRecord& record, uint64_t limit) {
  const uint64_t seen = record.counts[threshold.quantity].value();
  const int decimals = threshold.unit_divisor == 1 ? 0 : 1;
  return fmt::format("{} {:.{}f} {}{} (quiet: at most {:.{}f})", NameOf(threshold.quantity),
                     Readable(seen, threshold), decimals, threshold.unit,
                     Culprits(threshold, record), Readable(limit, threshold), decimals);
}

}  // namespace

std::span<const NoiseThreshold> NoiseThresholds() { return kThresholds; }

uint64_t QuietAtMost(const NoiseThreshold& threshold, const NoiseRecord& record, size_t cpus) {
  constexpr double kNsPerS = 1e9;
  const double seconds = static_cast<double>(std::max<int64_t>(record.window_ns, 0)) / kNsPerS;
  const double each =
      static_cast<double>(threshold.at_most) + static_cast<double>(threshold.per_s) * seconds;
  const auto limit =
      static_cast<uint64_t>(threshold.per_cpu ? each * static_cast<double>(cpus) : each);
  // What was measured too coarsely for the limit must not count against the trial.
  const Count& resolution = record.counts[Q::kForeignResolutionNs];
  const bool is_coarse = threshold.quantity == Q::kForeignNs && resolution.has_value();
  return limit + (is_coarse ? resolution.value() : 0);
}

std::string DisturbedBecause(const NoiseRecord& record, size_t cpus) {
  std::vector<std::string_view> happened;
  std::vector<std::string> details;
  std::vector<std::string_view> next_steps;  // several have the same
  for (const NoiseThreshold& threshold : kThresholds) {
    const Count& seen = record.counts[threshold.quantity];
    const uint64_t limit = QuietAtMost(threshold, record, cpus);
    if (!seen.has_value() || seen.value() <= limit) continue;
    happened.push_back(threshold.happened);
    details.push_back(DetailOf(threshold, record, limit));
    if (std::ranges::find(next_steps, threshold.next_step) == next_steps.end()) {
      next_steps.push_back(threshold.next_step);
    }
  }
  if (happened.empty()) return "";
  const double window_ms = static_cast<double>(record.window_ns) / static_cast<double>(kMsNs);
  return fmt::format("{}; {} in {:.0f} ms; {}", fmt::join(happened, ", "), fmt::join(details, ", "),
                     window_ms, fmt::join(next_steps, "; "));
}

}  // namespace plectl::host
