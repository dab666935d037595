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

// What is wanted of a thread's stat file (proc(5)).
struct ThreadStat {
  uint64_t start_ticks = 0;
  uint64_t process_threads = 0;
  bool has_ended = false;  // but was not waited for yet
};

// Reads files of /proc, thousands per scrape: into a buffer of its own, no allocations.
class ProcFiles {
 public:
  explicit ProcFiles(const HostRoot& root);

  // When the process began, in clock ticks since boot; nothing when it is not there or has ended.
  std::optional<uint64_t> ProcessStartTicks(pid_t pid);
  // Whether processes of others can be seen: not where /proc is mounted with hidepid, unless by
  // those who may. Then a process that is not there may be.
  [[nodiscard]] bool SeesOthers() { return ReadStat(1, 1).has_value(); }
  // False only when it is known that this thread has ended, if its id is another one's by now too.
  bool MayThreadLive(pid_t pid, pid_t tid, uint64_t start_ticks);

 private:
  // Of a thread's stat file; nothing with `error_` set.
  std::optional<ThreadStat> ReadStat(pid_t pid, pid_t tid);

  std::string root_;  // "" for "/"
  std::array<char, 1024> buffer_ = {};
  int error_ = 0;
};

// Nothing when it is none.
std::optional<ThreadStat> ParseThreadStat(std::string_view stat);

}  // namespace plectl::monitor
