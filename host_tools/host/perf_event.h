// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// What a perf counter says (perf_event_open(2), PERF_FORMAT_TOTAL_TIME_*).
struct PerfReading {
  uint64_t value = 0;
  uint64_t enabled_ns = 0;  // in which its thread ran while the counter was enabled
  uint64_t running_ns = 0;  // of those, in which it really counted
};

// Empty, or that a counter did not count all of the time that its thread ran.
std::string LostBecause(const PerfReading& reading);

// Whose instructions a counter of the CPU's core PMU counts.
enum class ExecutedIn { kGuest, kHost };

// The events of one thread or CPU, counted by the kernel. Made disabled, at zero.
class PerfEvent {
 public:
  // Of the tracepoint with this id (tracepoint.h). `tid` 0 is the calling thread.
  static Result<PerfEvent> OfTracepoint(uint64_t id, pid_t tid);
  // Of the entries of a kernel function, by a kprobe that lives as long as this object.
  static Result<PerfEvent> OfKprobe(const HostRoot& root, const std::string& function, pid_t tid);
  // An event of the CPU's core PMU in one thread, kernel included.
  static Result<PerfEvent> OfThread(uint32_t pmu_type, uint64_t config, ExecutedIn mode, pid_t tid);
  // An event of a PMU that counts all of a CPU, whatever runs there.
  static Result<PerfEvent> OfCpu(uint32_t pmu_type, uint64_t config, int cpu);

  // Counts only events that pass an expression on the tracepoint's fields, such as
  // "exit_reason == 40".
  Status SetFilter(const std::string& expression);
  Status Enable();
  [[nodiscard]] Result<PerfReading> Read() const;

 private:
  explicit PerfEvent(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace plectl::host
