// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "host_tools/base/host_root.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// What the running kernel gives a parameter that nobody sets; nothing when its version does not
// tell. Only one has changed: ple_window_max is UINT_MAX since Linux 4.18, INT_MAX / 2 before.
std::optional<uint64_t> KernelDefault(const HostRoot& root, const PleParam& param);

}  // namespace plectl::host
