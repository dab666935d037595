// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/kvm_statistics.h"
#include "host_tools/guests/thread_clocks.h"
#include "host_tools/guests/vcpu_group.h"
#include "host_tools/guests/vm.h"

namespace plectl::guests {

// What the host knows of its guests from Begin() to End(), at both of which no vCPU runs: KVM's own
// statistics and the clocks of the vCPU threads. Costs the guests nothing.
class HostSide {
 public:
  explicit HostSide(std::span<Vm> vms);
  void Begin(std::span<const pid_t> tids);
  void End(std::span<const pid_t> tids);
  // Exits of all vCPUs from End() to now, less the one of each that is expected then.
  [[nodiscard]] Count UnexpectedExitsSinceEnd() const;
  // What there is to say, into `result`, which has the guests' part already.
  void AddTo(const VcpuGroup& group, GuestResult& result) const;

 private:
  std::vector<KvmStatistics> of_vms_;
  std::vector<KvmStatistics> of_vcpus_;
  std::vector<StatisticGrowths> vms_;
  std::vector<StatisticGrowths> vcpus_;
  std::vector<ThreadClocks> begin_;
  std::vector<ThreadClocks> end_;
};

}  // namespace plectl::guests
