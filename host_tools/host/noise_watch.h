// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

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

  // Begins a trial whose vCPU threads `tids` may use `cpus`, in any order. Nothing of the guest
  // runs yet.
  void Begin(std::span<const int> cpus, std::span<const pid_t> tids);
  // What happened since Begin(). Nothing of the guest runs any more.
  [[nodiscard]] NoiseRecord End();
  // After End(): how long any task ran on `cpu`, which is one of Begin()'s.
  [[nodiscard]] Count RunNsOn(int cpu) const;

 private:
  HostRoot root_;
  Count tsc_khz_;
  MsrCounters msr_;
  std::vector<int> cpus_;
  std::vector<pid_t> tids_;
  NoiseSample start_;
  std::vector<Count> run_ns_;  // on each of cpus_
};

}  // namespace plectl::host
