// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"

namespace plectl::monitor {

// A thread's clocks; in clock ticks since it began, or since boot (start).
struct ThreadTimes {
  uint64_t start_ticks = 0;
  uint64_t user_ticks = 0;  // without the guest's
  uint64_t system_ticks = 0;
  uint64_t guest_ticks = 0;
  std::optional<uint64_t> run_delay_ns;  // ready, but waiting for a CPU; not in every kernel
};

enum class ThreadState { kThere, kGone, kUnreadable };

// Reads files of /proc, tens of thousands per scrape: into a buffer of its own, no allocations.
class ProcFiles {
 public:
  explicit ProcFiles(const HostRoot& root);

  // When the process began; nothing when there is none.
  std::optional<uint64_t> ProcessStartTicks(pid_t pid);
  // Fills `times` when the thread is there.
  ThreadState ReadThread(pid_t pid, pid_t tid, ThreadTimes& times);

 private:
  // The content, good until the next call; nothing with `error_` set.
  std::optional<std::string_view> Read(const char* path);

  std::string root_;  // "" for "/"
  std::array<char, 2048> buffer_ = {};
  int error_ = 0;
};

// The fields of /proc/PID/stat or a thread's that are wanted here. Nothing when it is no such file.
std::optional<ThreadTimes> ParseThreadStat(std::string_view stat);
// The second figure of a schedstat file.
std::optional<uint64_t> ParseRunDelayNs(std::string_view schedstat);

}  // namespace plectl::monitor
