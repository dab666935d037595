// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "host_tools/base/count.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/gate.h"
#include "host_tools/guests/guest_memory.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/thread_control.h"
#include "host_tools/guests/vcpu.h"

namespace plectl::guests {

// The thread of one vCPU: runs it to the start barrier, then to its end, then waits to be ended;
// before that it enters the guest once more when the gate reopens.
// What it refers to must outlive it.
class VcpuThread {
 public:
  struct Options {
    uint32_t id = 0;     // over all VMs
    uint32_t index = 0;  // in its VM
    int cpu = 0;
    VcpuScheduling scheduling = VcpuScheduling::kOther;
    std::chrono::nanoseconds spin{0};  // between the start barrier and the guest
    uint64_t result_block = 0;         // guest address, to explain an abort
  };
  VcpuThread(const Options& options, Vcpu& vcpu, const GuestMemory& memory, Gate& gate);
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;
  ~VcpuThread() { Join(); }

  Status Start();
  // Makes the vCPU leave the guest soon and not enter it again; the gate must be stopping.
  void Kick();

  // Waits for its end; the gate must have been ended, else for ever. Safe to call twice.
  void Join();

  // From the start barrier on.
  [[nodiscard]] pid_t tid() const { return tid_; }
  // Once parked.
  [[nodiscard]] const ThreadUsage& usage() const { return usage_; }
  // How long it had waited for a CPU when it left the start barrier.
  [[nodiscard]] const Count& run_delay_at_start_ns() const { return run_delay_at_start_ns_; }
  [[nodiscard]] bool done() const { return done_; }
  // "vCPU 1: KVM_EXIT_INTR at RIP 0x100123, runnable"; after its end "vCPU 1: done, KVM_EXIT_IO
  // ...".
  [[nodiscard]] std::string DescribePlace() const;

 private:
  void Main();
  Status Live();
  // One entry more after its end, which the guest answers by an abort.
  Status Close();
  // Runs the guest until it writes `command`; false when it was stopped before.
  Result<bool> RunUntil(uint32_t command);
  Status ExplainExit() const;
  Status ExplainCommand(uint32_t command) const;
  [[nodiscard]] Failure Misbehaved(const std::string& what) const;

  const Options options_;
  Vcpu& vcpu_;
  const GuestMemory& memory_;
  Gate& gate_;
  std::atomic<pid_t> tid_ = 0;
  ThreadUsage usage_;
  Count run_delay_at_start_ns_ = Count::Missing("not started");
  bool done_ = false;
  std::string place_;
  std::thread thread_;
};

}  // namespace plectl::guests
