// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/leave_cpu.h"

#include <sys/resource.h>

#include <chrono>
#include <thread>

namespace plectl {
namespace {

// Counted where the CPU takes up another task, whether it was left willingly or not
// (__schedule() in kernel/sched/core.c).
long TimesLeft() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

}  // namespace

void LeaveCpu() {
  const long before = TimesLeft();
  // A sleep whose timer fires before the kernel has switched away ends on the same CPU without a
  // switch: one in 700 does, and nearly all of a thread whose timers have no slack, such as one of
  // a real-time policy.
  for (auto sleep = std::chrono::microseconds(1); TimesLeft() == before; sleep *= 2) {
    std::this_thread::sleep_for(sleep);
  }
}

}  // namespace plectl
