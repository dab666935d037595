// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_watch.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "host_tools/host/tsc_frequency.h"

namespace plectl::host {
namespace {

// The kernel adds the time that a task ran to its CPU's when the task leaves it
// (sched_info_depart() in kernel/sched/stats.h): what we ran before must not fall into the trial.
void LeaveCpu() { std::this_thread::sleep_for(std::chrono::microseconds(1)); }

}  // namespace

NoiseWatch::NoiseWatch(const HostRoot& root) : root_(root), tsc_khz_(TscKhz()), msr_(root) {}

void NoiseWatch::Begin(std::span<const int> cpus) {
  cpus_.assign(cpus.begin(), cpus.end());
  std::sort(cpus_.begin(), cpus_.end());
  cpus_.erase(std::unique(cpus_.begin(), cpus_.end()), cpus_.end());
  LeaveCpu();
  start_ = TakeNoiseSample(root_, cpus_, msr_.Read(cpus_));
}

NoiseRecord NoiseWatch::End() {
  const NoiseSample end = TakeNoiseSample(root_, cpus_, msr_.Read(cpus_));
  return NoiseBetween(start_, end, cpus_.size(), tsc_khz_, TicksPerS());
}

}  // namespace plectl::host
