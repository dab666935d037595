// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
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

// Whose counts they are: a thread's first vCPU, or with its address one that the thread runs too.
struct VcpuKey {
  uint64_t thread = 0;  // thread_key()
  uint64_t vcpu = 0;    // struct kvm_vcpu; 0: the thread's first
  friend auto operator<=>(const VcpuKey&, const VcpuKey&) = default;
};
VcpuKey KeyOf(const VcpuCounts& counts);

// What is counted in the kernel; an interface, so that tests have no need of one.
class KernelCounts {
 public:
  virtual ~KernelCounts() = default;

  // Every vCPU that a thread has run and that was not forgotten; those that are not their thread's
  // first come after all that are. What is said of one is only good during the call.
  virtual Status ForEachThread(const std::function<void(const VcpuCounts&)>& visit) = 0;
  // One's counts now; nothing when it is not known.
  virtual std::optional<VcpuCounts> Find(const VcpuKey& key) = 0;
  // Ends the counts of threads that have ended.
  virtual void Forget(std::span<const VcpuKey> keys) = 0;
  // The handling times of the whole host's exits, by slot.
  virtual Result<SlotTimes> ExitTimes() = 0;
  // Exits of threads for which there was no room.
  virtual uint64_t LostExits() = 0;
  virtual std::vector<ProbeCost> ProbeCosts() = 0;
  // Why directed yields are not counted, or not all of them; empty when they are. May change.
  [[nodiscard]] virtual std::string YieldsMissingBecause() const = 0;
};

}  // namespace plectl::monitor
