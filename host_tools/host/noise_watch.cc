// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_watch.h"

#include <algorithm>

#include "host_tools/host/tsc_frequency.h"

namespace plectl::host {

NoiseWatch::NoiseWatch(const HostRoot& root) : root_(root), tsc_khz_(TscKhz()), msr_(root) {}

void NoiseWatch::Begin(std::span<const int> cpus) {
  cpus_.assign(cpus.begin(), cpus.end());
  std::sort(cpus_.begin(), cpus_.end());
  cpus_.erase(std::unique(cpus_.begin(), cpus_.end()), cpus_.end());
  start_ = TakeNoiseSample(root_, cpus_, msr_.Read(cpus_));
}

NoiseRecord NoiseWatch::End() {
  const NoiseSample end = TakeNoiseSample(root_, cpus_, msr_.Read(cpus_));
  return NoiseBetween(start_, end, cpus_.size(), tsc_khz_, TicksPerS());
}

}  // namespace plectl::host
