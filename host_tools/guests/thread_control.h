// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <cstdint>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

// The signal that makes a vCPU thread leave KVM_RUN. It does nothing else.
inline constexpr int kKickSignal = SIGUSR1;

// A handler that does nothing for kKickSignal from our own threads, and what the old one does for
// one from elsewhere; the old one comes back in the destructor.
class KickSignalHandler {
 public:
  KickSignalHandler();
  KickSignalHandler(const KickSignalHandler&) = delete;
  KickSignalHandler& operator=(const KickSignalHandler&) = delete;
  ~KickSignalHandler();

 private:
  struct sigaction old_ {};
};

// Blocks every signal but kKickSignal in the calling thread while it lives. Threads started
// meanwhile inherit that, so a signal to the process always interrupts one of the others.
class BlockedSignals {
 public:
  BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals();

 private:
  sigset_t old_{};
};

// Lets the calling thread run ahead of SCHED_FIFO vCPU threads while it lives, so that a spinning
// guest cannot keep it from enforcing the deadline. Does nothing for other scheduling.
class CoordinatorPriority {
 public:
  static Result<CoordinatorPriority> Raise(VcpuScheduling scheduling);
  CoordinatorPriority(CoordinatorPriority&& other) noexcept;
  CoordinatorPriority& operator=(CoordinatorPriority&&) = delete;
  CoordinatorPriority(const CoordinatorPriority&) = delete;
  CoordinatorPriority& operator=(const CoordinatorPriority&) = delete;
  ~CoordinatorPriority();

 private:
  explicit CoordinatorPriority(bool raised) : raised_(raised) {}
  bool raised_;
};

// Pins the calling thread to `cpu` and sets its scheduling. The error names the CPU.
Status PlaceThread(int cpu, VcpuScheduling scheduling);

// What the calling thread has used so far.
struct ThreadUsage {
  uint64_t involuntary_switches = 0;
  uint64_t voluntary_switches = 0;
  int64_t user_ns = 0;
  int64_t system_ns = 0;
  int64_t cpu_ns = 0;   // what it ran, to the nanosecond
  int64_t wall_ns = 0;  // CLOCK_MONOTONIC
};
ThreadUsage UsageOfThisThread();
ThreadUsage operator-(const ThreadUsage& end, const ThreadUsage& begin);

}  // namespace plectl::guests
