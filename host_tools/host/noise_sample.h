// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/host_root.h"
#include "host_tools/host/noise_record.h"
#include "host_tools/host/noise_settings.h"
#include "host_tools/host/noise_threads.h"

namespace plectl::host {

// What perf's "msr" events say of the measured CPUs together.
struct MsrCounts {
  Count aperf = Count::Missing("not read");
  Count mperf = Count::Missing("not read");
  Count smis = Count::Missing("not read");
};

// What the kernel says at one moment. Quantities that are derived (NoiseKind) stay missing in
// `counts`; what they are derived from stands beside them.
struct NoiseSample {
  int64_t cpus_read_ns = 0;  // CLOCK_MONOTONIC, when the CPUs' times were read
  NoiseCounts counts;
  std::string worst_zone;
  std::vector<NoiseIrq> irqs;  // since boot, timers and IPIs left out
  std::string cgroup;          // plectl's own, "" when it is in none of version 2
  Count all_pgscan = Count::Missing("not read");  // of the root cgroup: all reclaim of the host
  std::vector<Count> run_ns;                      // tasks on each of the measured CPUs (schedstat)
  Count idle_ns = Count::Missing("not read");     // the measured CPUs, in ticks (stat)
  Count own_ns = Count::Missing("not read");  // of the vCPUs' threads and of the one that samples
  bool has_irq_time = false;                  // the kernel takes interrupts off the tasks' time
  MsrCounts msr;
  NoiseSettings settings;
  std::vector<std::optional<ThreadPlace>> threads;  // of the vCPUs
};

enum class NoiseMoment { kBeforeTrial, kAfterTrial };

// Reads all of `root`'s files, each once; what cannot be read is missing with the reason. `cpus`
// are the measured ones, ascending, each once; `tids` the vCPUs' threads, all of them parked. The
// CPUs' times come last before a trial and first after it, so that none of this process' own work
// stands between. The MSR counts are the caller's.
NoiseSample TakeNoiseSample(const HostRoot& root, std::span<const int> cpus,
                            std::span<const pid_t> tids, MsrCounts msr, NoiseMoment moment);

// What happened between two samples of the same CPUs. `tsc_khz` is the rate at which MPERF counts
// while a CPU runs; `ticks_per_s` the resolution of /proc/stat.
NoiseRecord NoiseBetween(const NoiseSample& start, const NoiseSample& end, size_t cpus,
                         const Count& tsc_khz, uint64_t ticks_per_s);

// How long tasks ran on each of the measured CPUs between two samples of them.
std::vector<Count> RunNsBetween(const NoiseSample& start, const NoiseSample& end);

// USER_HZ.
uint64_t TicksPerS();

}  // namespace plectl::host
