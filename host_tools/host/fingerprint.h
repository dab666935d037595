// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// What identifies a host for a measurement (docs/run_format.md, "host"): CPU model, family, model,
// stepping, microcode, TSC kHz, kernel release and version, every parameter of the KVM module,
// mitigations, governor, SMT, cgroup layout, presence of the kernel fixes 32bd348be3fa and
// 79104becf42b ("yes", "no" or "unknown"), online CPUs, the lab's description when it is the lab
// (kernel command line plectl.lab=...). What cannot be read is {"missing_because": ...}.
nlohmann::json Fingerprint(const HostRoot& root);

}  // namespace plectl::host
