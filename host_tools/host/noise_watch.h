// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/host_root.h"
#include "host_tools/host/msr_counters.h"
#include "host_tools/host/noise_record.h"
#include "host_tools/host/noise_sample.h"

namespace plectl::host {

// Watches what the host does to the measured CPUs and to memory while a trial runs. It only reads.
class NoiseWatch {
 public:
  explicit NoiseWatch(const HostRoot& root);

  // Begins a trial whose vCPU threads may use `cpus`, in any order. Nothing of the guest runs yet.
  void Begin(std::span<const int> cpus);
  // What happened since Begin(). Nothing of the guest runs any more.
  [[nodiscard]] NoiseRecord End();

 private:
  HostRoot root_;
  Count tsc_khz_;
  MsrCounters msr_;
  std::vector<int> cpus_;
  NoiseSample start_;
};

}  // namespace plectl::host
