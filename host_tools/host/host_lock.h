// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// Where plectl keeps what must outlive it; readable by root only.
inline constexpr std::string_view kStateFolder = "/var/lib/plectl";

// The next step for somebody who could not read or write there: become root, make room, or make it
// writable, whichever helps on this host.
std::string HintForState(const HostRoot& root);

// Environment error where this process does not see the state folder that the host's first process
// sees: in a container, whose lock and journal no plectl outside would know, though the kernel's
// module is the same.
Status CheckSeesHostState(const HostRoot& root);

// Excludes a second plectl from changing this host. The kernel gives the lock back when its holder
// ends, however it ends (flock(2)), so a stale file means nothing.
class HostLock {
 public:
  // Creates the state folder (mode 0700) when it is not there. Environment error that names the
  // PID when another plectl still has the lock after 2 s; also in a container, and when others than
  // root could write to the folder.
  static Result<HostLock> Acquire(const HostRoot& root);

 private:
  explicit HostLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace plectl::host
