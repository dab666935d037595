// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/clock.h"

#include <ctime>

namespace plectl {

int64_t MonotonicNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int64_t Stopwatch::Restart() {
  const int64_t now_ns = MonotonicNs();
  const int64_t elapsed_ns = now_ns - start_ns_;
  start_ns_ = now_ns;
  return elapsed_ns;
}

}  // namespace plectl
