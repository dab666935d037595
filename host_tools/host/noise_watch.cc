// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_watch.h"

#include <algorithm>

#include "host_tools/host/tsc_frequency.h"

namespace plectl::host {

NoiseWatch::NoiseWatch(const HostRoot& root) : root_(root), tsc_khz_(TscKhz()), msr_(root) {}

void NoiseWatch::Begin(std::span<const int> cpus, std::span<const pid_t> tids) {
  cpus_.assign(cpus.begin(), cpus.end());
  std::sort(cpus_.begin(), cpus_.end());
  cpus_.erase(std::unique(cpus_.begin(), cpus_.end()), cpus_.end());
  tids_.assign(tids.begin(), tids.end());
  start_ = TakeNoiseSample(root_, cpus_, tids_, msr_.Read(cpus_), NoiseMoment::kBeforeTrial);
}

NoiseRecord NoiseWatch::End() {
  const NoiseSample end =
      TakeNoiseSample(root_, cpus_, tids_, msr_.Read(cpus_), NoiseMoment::kAfterTrial);
  run_ns_ = RunNsBetween(start_, end);
  return NoiseBetween(start_, end, cpus_.size(), tsc_khz_, TicksPerS());
}

Count NoiseWatch::RunNsOn(int cpu) const {
  const auto place = std::ranges::lower_bound(cpus_, cpu);
  const auto index = static_cast<size_t>(place - cpus_.begin());
  if (index < run_ns_.size() && *place == cpu) return run_ns_[index];
  return Count::Missing("it is not one of the measured CPUs");
}

}  // namespace plectl::host
