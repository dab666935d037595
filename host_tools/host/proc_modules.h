// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// A line of /proc/modules, which shows loaded modules also where /sys/module is hidden.
struct ProcModule {
  std::string state;   // "Live", "Loading" or "Unloading"
  std::string taints;  // "OE", or ""
};

// Nothing when the module is not loaded, or built in, or when the file cannot be read.
std::optional<ProcModule> FindProcModule(const HostRoot& root, std::string_view module);

// Whether a loaded module is known to have come without a valid signature (taint E). A kernel
// without CONFIG_MODULE_SIG does not say so.
bool IsUnsigned(const HostRoot& root, std::string_view module);

}  // namespace plectl::host
