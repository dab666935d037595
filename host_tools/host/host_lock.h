// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// Where plectl keeps what must outlive it; readable by root only.
inline constexpr std::string_view kStateFolder = "/var/lib/plectl";

// Excludes a second plectl from changing this host. The kernel gives the lock back when its holder
// ends, however it ends (flock(2)), so a stale file means nothing.
class HostLock {
 public:
  // Creates the state folder (mode 0700) when it is not there. Environment error that names the
  // PID when another plectl still has the lock after 2 s.
  static Result<HostLock> Acquire(const HostRoot& root);

 private:
  explicit HostLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace plectl::host
