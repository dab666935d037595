// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_sample.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/leave_cpu.h"
#include "host_tools/base/text.h"
#include "host_tools/host/noise_cgroup.h"
#include "host_tools/host/noise_cpu.h"
#include "host_tools/host/noise_memory.h"
#include "host_tools/host/noise_text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;

constexpr uint64_t kNsPerS = 1'000'000'000;

void SetMissing(std::string_view group, const std::string& because, NoiseCounts& counts) {
  for (const NoiseQuantityInfo& info : NoiseQuantities()) {
    if (info.group == group) counts[info.quantity] = Count::Missing(because);
  }
}

// The clock of a thread's CPU time (include/linux/posix-timers_types.h in Linux): glibc names it by
// pthread_t only.
clockid_t CpuClockOf(pid_t tid) {
  constexpr unsigned kPerThread = 4;
  constexpr unsigned kScheduled = 2;
  return static_cast<clockid_t>(~static_cast<unsigned>(tid) << 3 | kPerThread | kScheduled);
}

// CPU time of the vCPUs' threads and of the one that samples; plectl's others may well be foreign
// to them.
Count OwnCpuNs(std::span<const pid_t> tids) {
  std::vector<clockid_t> clocks = {CLOCK_THREAD_CPUTIME_ID};
  for (const pid_t tid : tids) clocks.push_back(CpuClockOf(tid));
  uint64_t sum_ns = 0;
  for (const clockid_t clock : clocks) {
    timespec time{};
    if (::clock_gettime(clock, &time) != 0) {
      return Count::Missing("the CPU time of plectl's threads cannot be read");
    }
    sum_ns += static_cast<uint64_t>(time.tv_sec) * kNsPerS + static_cast<uint64_t>(time.tv_nsec);
  }
  return sum_ns;
}

// Own time comes first: what this thread does from here on is in neither account until it leaves
// the CPU. The vCPUs' threads are parked.
void ReadCpuTimes(const HostRoot& root, std::span<const int> cpus, std::span<const pid_t> tids,
                  NoiseSample& sample) {
  sample.own_ns = OwnCpuNs(tids);
  const Result<std::string> schedstat = root.Read("/proc/schedstat");
  sample.cpus_read_ns = MonotonicNs();
  const Result<std::string> stat = root.Read("/proc/stat");
  if (stat) {
    sample.idle_ns = ParseStat(*stat, cpus, TicksPerS(), sample.counts);
  } else {
    SetMissing("cpus", stat.error().message, sample.counts);
    sample.idle_ns = Count::Missing(stat.error().message);
  }
  if (schedstat) {
    sample.run_ns = ParseSchedstat(*schedstat, cpus, sample.counts);
  } else {
    sample.counts[Q::kTimeslices] = Count::Missing(schedstat.error().message);
    sample.run_ns.assign(cpus.size(), sample.counts[Q::kTimeslices]);
  }
}

void ReadInterrupts(const HostRoot& root, std::span<const int> cpus, NoiseSample& sample) {
  const Result<std::string> text = root.Read("/proc/interrupts");
  if (!text) return SetMissing("irqs", text.error().message, sample.counts);
  sample.irqs = ParseInterrupts(*text, cpus, sample.counts);
}

void ReadMemory(const HostRoot& root, NoiseSample& sample) {
  const Result<std::string> vmstat = root.Read("/proc/vmstat");
  if (vmstat) {
    ParseVmstat(*vmstat, sample.counts);
  } else {
    SetMissing("vmstat", vmstat.error().message, sample.counts);
  }
  const Result<std::string> zoneinfo = root.Read("/proc/zoneinfo");
  if (!zoneinfo) return SetMissing("zones", zoneinfo.error().message, sample.counts);
  sample.worst_zone = ParseZoneinfo(*zoneinfo, sample.counts);
}

struct PressureLine {
  std::string_view line;
  Q quantity;
};

void ReadPressure(const HostRoot& root, std::string_view resource,
                  std::initializer_list<PressureLine> lines, NoiseCounts& counts) {
  const Result<std::string> text = root.Read(fmt::format("/proc/pressure/{}", resource));
  for (const auto& [line, quantity] : lines) {
    counts[quantity] = text ? PressureTotalUs(*text, line) : Count::Missing(text.error().message);
  }
}

// The files of each measured CPU, added up; missing as soon as one is.
Count SumOfCpuFiles(const HostRoot& root, std::span<const int> cpus,
                    std::initializer_list<std::string_view> files) {
  CountSum sum;
  for (const int cpu : cpus) {
    for (const std::string_view file : files) {
      const std::string path = fmt::format("/sys/devices/system/cpu/cpu{}/{}", cpu, file);
      const Result<std::string> text = root.Read(path);
      if (!text) return Count::Missing(text.error().message);
      sum.Add(TrimRight(*text));
    }
  }
  return sum.Get("count in the files of the measured CPUs");
}

// What a single CPU has on average.
Count PerCpu(Count sum, size_t cpus) {
  if (!sum.has_value() || cpus == 0) return sum;
  return sum.value() / cpus;
}

// Some kernels ask each CPU for its frequency and wait, so only where nothing better is.
Count Khz(const HostRoot& root, std::span<const int> cpus, const MsrCounts& msr) {
  if (msr.mperf.has_value() && msr.mperf.value() > 0) {
    return Count::Missing("average_khz is measured instead");
  }
  return PerCpu(SumOfCpuFiles(root, cpus, {"cpufreq/scaling_cur_freq"}), cpus.size());
}

Count Delta(const Count& start, const Count& end) {
  if (!start.has_value()) return start;
  if (!end.has_value()) return end;
  if (end.value() >= start.value()) return end.value() - start.value();
  return Count::Missing(
      fmt::format("the counter went back from {} to {}", start.value(), end.value()));
}

Count Pick(const NoiseQuantityInfo& info, const NoiseSample& start, const NoiseSample& end) {
  const Count& first = start.counts[info.quantity];
  const Count& last = end.counts[info.quantity];
  if (info.kind == NoiseKind::kDelta) return Delta(first, last);
  return info.kind == NoiseKind::kStart ? first : last;
}

// What all reclaim scanned less what vmstat has: done for the limits of cgroups.
Count MemcgPagesScanned(const NoiseSample& start, const NoiseSample& end,
                        const NoiseCounts& deltas) {
  Count all = Delta(start.all_pgscan, end.all_pgscan);
  const Count& kswapd = deltas[Q::kPgscanKswapd];
  const Count& direct = deltas[Q::kPgscanDirect];
  if (!all.has_value()) return all;
  if (!kswapd.has_value()) return kswapd;
  if (!direct.has_value()) return direct;
  const uint64_t global = kswapd.value() + direct.value();
  return all.value() > global ? all.value() - global : 0;
}

// How long any task ran on the measured CPUs, and how far off that can be.
struct BusyTime {
  Count ns;
  uint64_t resolution_ns;
};

BusyTime Busy(const NoiseSample& start, const NoiseSample& end, size_t cpus, uint64_t ticks_per_s) {
  const Count run = SumOf(RunNsBetween(start, end));
  if (run.has_value()) return {run, 0};
  // The kernel rounds idle and iowait down to ticks, at both ends.
  const uint64_t resolution_ns = 2 * cpus * (kNsPerS / std::max<uint64_t>(ticks_per_s, 1));
  const Count idle = Delta(start.idle_ns, end.idle_ns);
  if (!idle.has_value()) return {idle, resolution_ns};
  const auto window_ns = std::max<int64_t>(0, end.cpus_read_ns - start.cpus_read_ns);
  const uint64_t all_ns = static_cast<uint64_t>(window_ns) * cpus;
  return {all_ns > idle.value() ? all_ns - idle.value() : 0, resolution_ns};
}

// A kernel that takes interrupts off the tasks' time counts them as foreign, those too that come
// with every trial: ticks, and kicks between vCPUs. None of these takes 10 us on silicon.
uint64_t OwnInterruptsNs(const NoiseSample& start, const NoiseCounts& counts) {
  constexpr uint64_t kLongestNs = 10'000;
  uint64_t fired = 0;
  for (const Q quantity : {Q::kTimerIrqs, Q::kIpiIrqs, Q::kTlbIrqs}) {
    fired += counts[quantity].has_value() ? counts[quantity].value() : 0;
  }
  return start.has_irq_time ? fired * kLongestNs : 0;
}

void DeriveCpuTimes(const NoiseSample& start, const NoiseSample& end, size_t cpus,
                    uint64_t ticks_per_s, NoiseCounts& counts) {
  const BusyTime busy = Busy(start, end, cpus, ticks_per_s);
  counts[Q::kBusyNs] = busy.ns;
  counts[Q::kForeignResolutionNs] = busy.resolution_ns + OwnInterruptsNs(start, counts);
  const Count own = Delta(start.own_ns, end.own_ns);
  if (!busy.ns.has_value() || !own.has_value()) {
    counts[Q::kForeignNs] = busy.ns.has_value() ? own : busy.ns;
  } else {
    counts[Q::kForeignNs] =
        busy.ns.value() > own.value() ? busy.ns.value() - own.value() : uint64_t{0};
  }
}

Count AverageKhz(const NoiseSample& start, const NoiseSample& end, const Count& tsc_khz) {
  Count aperf = Delta(start.msr.aperf, end.msr.aperf);
  Count mperf = Delta(start.msr.mperf, end.msr.mperf);
  if (!aperf.has_value()) return aperf;
  if (!mperf.has_value()) return mperf;
  if (mperf.value() == 0) return Count::Missing("MPERF did not advance");
  if (!tsc_khz.has_value()) return tsc_khz;
  return static_cast<uint64_t>(static_cast<double>(tsc_khz.value()) *
                               static_cast<double>(aperf.value()) /
                               static_cast<double>(mperf.value()));
}

// The lines that fired most in between.
std::vector<NoiseIrq> TopIrqs(const std::vector<NoiseIrq>& start, std::vector<NoiseIrq> end) {
  constexpr size_t kTop = 3;
  for (auto& [name, fired] : end) {
    const auto before = std::ranges::find(start, name, &NoiseIrq::first);
    if (before != start.end()) fired -= std::min(fired, before->second);
  }
  std::erase_if(end, [](const NoiseIrq& irq) { return irq.second == 0; });
  std::ranges::stable_sort(end, std::ranges::greater(), &NoiseIrq::second);
  end.resize(std::min(end.size(), kTop));
  return end;
}

}  // namespace

uint64_t TicksPerS() { return static_cast<uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK))); }

std::vector<Count> RunNsBetween(const NoiseSample& start, const NoiseSample& end) {
  std::vector<Count> run_ns;
  for (size_t i = 0; i < std::min(start.run_ns.size(), end.run_ns.size()); ++i) {
    run_ns.push_back(Delta(start.run_ns[i], end.run_ns[i]));
  }
  return run_ns;
}

NoiseSample TakeNoiseSample(const HostRoot& root, std::span<const int> cpus,
                            std::span<const pid_t> tids, MsrCounts msr, NoiseMoment moment) {
  NoiseSample sample;
  NoiseCounts& counts = sample.counts;
  if (moment == NoiseMoment::kAfterTrial) ReadCpuTimes(root, cpus, tids, sample);
  ReadInterrupts(root, cpus, sample);
  ReadMemory(root, sample);
  ReadPressure(root, "cpu", {{"some", Q::kPsiCpuSomeUs}}, counts);
  ReadPressure(root, "memory", {{"some", Q::kPsiMemorySomeUs}, {"full", Q::kPsiMemoryFullUs}},
               counts);
  ReadPressure(root, "io", {{"some", Q::kPsiIoSomeUs}, {"full", Q::kPsiIoFullUs}}, counts);
  sample.has_irq_time = root.Exists("/proc/pressure/irq");  // CONFIG_IRQ_TIME_ACCOUNTING
  ReadCgroupNoise(root, sample);
  sample.threads = ReadThreadPlaces(root, tids, counts);
  sample.settings = ReadNoiseSettings(root, cpus);
  counts[Q::kSuspendedNs] = SuspendedNs(root);
  counts[Q::kKhzStart] = counts[Q::kKhzEnd] = Khz(root, cpus, msr);
  counts[Q::kThrottleEvents] = SumOfCpuFiles(
      root, cpus,
      {"thermal_throttle/core_throttle_count", "thermal_throttle/package_throttle_count"});
  counts[Q::kSmis] = msr.smis;
  sample.msr = std::move(msr);
  if (moment == NoiseMoment::kBeforeTrial) {
    LeaveCpu();  // what this thread ran before must not fall into the trial
    ReadCpuTimes(root, cpus, tids, sample);
  }
  return sample;
}

NoiseRecord NoiseBetween(const NoiseSample& start, const NoiseSample& end, size_t cpus,
                         const Count& tsc_khz, uint64_t ticks_per_s) {
  NoiseRecord record;
  record.window_ns = std::max<int64_t>(0, end.cpus_read_ns - start.cpus_read_ns);
  for (const NoiseQuantityInfo& info : NoiseQuantities()) {
    if (info.kind != NoiseKind::kDerived) record.counts[info.quantity] = Pick(info, start, end);
  }
  record.counts[Q::kMemcgPgscan] = MemcgPagesScanned(start, end, record.counts);
  if (start.cgroup != end.cgroup) {
    SetMissing("cgroup", "plectl was moved to another cgroup", record.counts);
  }
  CompareNoiseSettings(start.settings, end.settings, record.counts);
  CompareThreadPlaces(start.threads, end.threads, record.counts);
  DeriveCpuTimes(start, end, cpus, ticks_per_s, record.counts);
  record.counts[Q::kAverageKhz] = AverageKhz(start, end, tsc_khz);
  record.worst_zone = end.worst_zone;
  record.top_irqs = TopIrqs(start.irqs, end.irqs);
  return record;
}

}  // namespace plectl::host
