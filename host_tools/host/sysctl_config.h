// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// Where sysctl.d(5), or the kernel command line, sets a sysctl ("kernel.modules_disabled"):
// "/etc/sysctl.d/99-x.conf:3", "/proc/cmdline", or "" when it cannot be told. The last line wins.
std::string FindSysctlPlace(const HostRoot& root, std::string_view name);

}  // namespace plectl::host
