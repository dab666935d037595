// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/monitor/bpf/vcpu_counts.h"

namespace plectl::monitor {

// What a BPF program has cost while the kernel's statistics were on.
struct ProbeCost {
  std::string program;
  uint64_t runs = 0;
  uint64_t time_ns = 0;
  uint64_t missed = 0;  // runs that the kernel skipped, at any time
};

using SlotTimes = std::array<TimeHistogram, kSlots>;

// What is counted in the kernel; an interface, so that tests have no need of one.
class KernelCounts {
 public:
  virtual ~KernelCounts() = default;

  // Every thread that has run a vCPU and was not forgotten. What is said of a thread is only good
  // during the call.
  virtual Status ForEachThread(const std::function<void(const VcpuCounts&)>& visit) = 0;
  // One thread's counts now, by its thread_key(); nothing when it is not known.
  virtual std::optional<VcpuCounts> Find(uint64_t key) = 0;
  // Ends the counts of threads that have ended.
  virtual void Forget(std::span<const uint64_t> keys) = 0;
  // The handling times of the whole host's exits, by slot.
  virtual Result<SlotTimes> ExitTimes() = 0;
  // Exits of threads for which there was no room.
  virtual uint64_t LostExits() = 0;
  virtual std::vector<ProbeCost> ProbeCosts() = 0;
  // Why directed yields are not counted; empty when they are.
  [[nodiscard]] virtual std::string yields_missing_because() const = 0;
};

}  // namespace plectl::monitor
