// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// `values` over `current`: what the module shall have. BadInput, before anything changes, for a
// parameter that the module does not have (the kernel would ignore it), one of the other vendor and
// values that KVM would mangle; an Environment error for values that this CPU makes KVM zero.
Result<ParamValues> TargetValues(const HostRoot& root, KvmModule module, const ParamValues& current,
                                 const ParamValues& values);

}  // namespace plectl::host
