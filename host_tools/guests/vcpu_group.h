// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/gate.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/thread_control.h"
#include "host_tools/guests/vcpu_thread.h"
#include "host_tools/guests/vm.h"

namespace plectl::guests {

// All vCPU threads of one VM or several, from start to join. Whatever goes wrong, no thread
// survives it.
class VcpuGroup {
 public:
  // Starts the threads; the VMs must outlive the group. `result_block` is where every VM has it.
  static Result<std::unique_ptr<VcpuGroup>> Start(std::span<Vm> vms, const Workload& workload,
                                                  const StartPhase& phase, uint64_t result_block);
  VcpuGroup(const VcpuGroup&) = delete;
  VcpuGroup& operator=(const VcpuGroup&) = delete;
  // Stops and joins.
  ~VcpuGroup();

  // Until every vCPU waits at the start barrier.
  Status AwaitReady(std::chrono::milliseconds deadline);
  // Lets them go, and waits until every vCPU is done. On failure all are stopped when it returns.
  Status RunToEnd(std::chrono::milliseconds deadline);

  // After RunToEnd(): enters each vCPU once more, and waits until all have left the guest again.
  Status EnterOnceMore(std::chrono::milliseconds deadline);

  // Once ready.
  [[nodiscard]] std::vector<pid_t> Tids() const;
  // Once the guests have ended. vCPUs are numbered over all VMs.
  [[nodiscard]] const ThreadUsage& usage(size_t vcpu) const { return threads_[vcpu]->usage(); }
  [[nodiscard]] const Count& run_delay_at_start_ns(size_t vcpu) const {
    return threads_[vcpu]->run_delay_at_start_ns();
  }
  [[nodiscard]] std::string DescribePlaces() const;

 private:
  explicit VcpuGroup(std::unique_ptr<Gate> gate) : gate_(std::move(gate)) {}
  Status StartThread(Vm& vm, const VcpuThread::Options& options);
  Status AwaitMilestone(Gate::Milestone milestone, std::chrono::milliseconds deadline);
  Status Explain(Gate::WaitEnd end, Gate::Milestone milestone, std::chrono::milliseconds deadline);
  // Makes every thread leave the guest, and waits until all are parked.
  void Stop();

  KickSignalHandler kick_handler_;
  std::unique_ptr<Gate> gate_;
  std::vector<std::unique_ptr<VcpuThread>> threads_;
};

}  // namespace plectl::guests
