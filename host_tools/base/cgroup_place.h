// SPDX-License-Identifier: Apache-2.0
// Where plectl may make cgroups (version 2; cgroups(7), Documentation/admin-guide/cgroup-v2.rst).
#pragma once

#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl {

// The folder in which a cgroup with a memory limit can be made, as the host's path: our own cgroup
// when it is the root, which alone may hold processes and pass controllers on; else the one above,
// where ours is a sibling. Not where the child would escape a limit that ours has. An Environment
// error says why there is none.
Result<std::string> MemoryCgroupParent(const HostRoot& root);

// The cgroup of a child of process `pid`: "plectl-PIDNS-PID-START-" and a number. The start time in
// clock ticks tells a process from a later one of the same number, the namespace from another's.
Result<std::string> CgroupNamePrefix(const HostRoot& root, std::string_view pid);

// Whether the plectl that made a cgroup of this name is gone. False for all other names, and for
// those of another PID namespace, whose processes cannot be seen.
bool IsStaleCgroup(const HostRoot& root, std::string_view name);

}  // namespace plectl
