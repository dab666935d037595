// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <thread>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"

namespace plectl {

// A zombie is not: it only waits for its parent, or for process 1, to ask.
inline bool IsAlive(pid_t pid) {
  const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat").value_or("");
  const size_t name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) != "Z";
}

// The kernel needs a moment to end what was killed.
inline bool DiesSoon(pid_t pid) {
  constexpr int64_t kPatienceNs = 10'000'000'000;
  for (const Stopwatch watch; watch.ElapsedNs() < kPatienceNs;) {
    if (!IsAlive(pid)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace plectl
