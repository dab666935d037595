// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/core_scheduling.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <cerrno>

// Linux 5.14; older headers lack them.
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_GET 0
#endif

namespace plectl::host {

Result<uint64_t> CoreCookieOf(pid_t thread) {
  constexpr unsigned long kOneThread = 0;
  uint64_t cookie = 0;
  if (::prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, thread, kOneThread, &cookie) == 0) return cookie;
  // The kernel has it not, or the CPU has one thread per core.
  if (errno == EINVAL || errno == ENODEV) return uint64_t{0};
  return SystemFailure(fmt::format("read the core-scheduling cookie of thread {}", thread), errno);
}

}  // namespace plectl::host
