// SPDX-License-Identifier: Apache-2.0
// Which cgroups bind a process, and which CPU limits they set: version 1, version 2, and hosts that
// have both (cgroups(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// One cgroup.
struct CgroupFolder {
  std::string name;    // as /proc/PID/cgroup names it: "/machine.slice/vm"
  std::string folder;  // where its files are: "/sys/fs/cgroup/cpu/machine.slice/vm"
};

// A cgroup and all that it lies in: what any of them limits, binds.
struct CgroupChain {
  int version = 2;
  std::vector<CgroupFolder> folders;  // its own first, the topmost that can be seen last
  // Why there may be further ones above (a container sees its own part only); "" at the real root.
  std::string unseen_because;
};

// Those of version 1 that have `controller` ("cpu", "freezer"). Nothing when the kernel has none: a
// controller is in one hierarchy only, and most are in version 2. `process` is a name in /proc:
// "self", "4242", "4242/task/4243".
Result<std::optional<CgroupChain>> CgroupChainV1(const HostRoot& root, std::string_view process,
                                                 std::string_view controller);
// Those of version 2. Nothing when it is not mounted.
Result<std::optional<CgroupChain>> CgroupChainV2(const HostRoot& root, std::string_view process);

// A CPU quota: the kernel stops what is in the cgroup for the rest of the period.
struct CpuQuota {
  CgroupFolder cgroup;
  std::string setting;  // "cpu.max 50000 100000", "cpu.cfs_quota_us 50000 of 100000"
};
struct CpuLimits {
  std::vector<CpuQuota> quotas;  // of the process's own cgroup and of all above
  std::string unseen_because;    // why there may be more; "" when all were read
};
// An error when /proc does not say in which cgroup the process is.
Result<CpuLimits> CpuLimitsOf(const HostRoot& root, std::string_view process);

}  // namespace plectl::host
