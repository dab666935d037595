// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl {

// A cgroup (version 2) for one child and all that it starts, wherever those go by setsid(2) or a
// second fork: together they may use so much memory and no swap, and the kernel kills all of them
// when they want more. Destroying it kills what is left in it and removes it. Those of a plectl
// that was killed are removed by the next Create().
class MemoryCgroup {
 public:
  // Environment error that says why when there is no place for it, or no right to make it.
  static Result<MemoryCgroup> Create(const HostRoot& root, uint64_t limit_bytes);
  MemoryCgroup(MemoryCgroup&&) noexcept = default;
  MemoryCgroup& operator=(MemoryCgroup&&) = delete;
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;
  ~MemoryCgroup();

  // A process that writes "0" here moves itself in; nothing else is needed between fork and exec.
  [[nodiscard]] int join_fd() const { return join_.get(); }
  // Whether the kernel has killed something in it because of its limit.
  [[nodiscard]] bool IsExceeded() const;
  // The most that all of them together have used at a time. Nothing before Linux 5.19.
  [[nodiscard]] std::optional<uint64_t> PeakBytes() const;

 private:
  MemoryCgroup(std::filesystem::path folder, Fd join);
  std::filesystem::path folder_;
  Fd join_;  // not valid when moved from
};

// Of memory.events: the limit was met (oom), and something was killed for it (oom_kill). Kills for
// the want of memory elsewhere count as oom_kill only.
bool ShowsLimitKill(std::string_view memory_events);

}  // namespace plectl
