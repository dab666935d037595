// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// A part of the fingerprint: what an administrator sets, and what changes how vCPUs run. One text
// for each; {"missing_because": ...} where it cannot be read.
nlohmann::json HostSettings(const HostRoot& root);

}  // namespace plectl::host
