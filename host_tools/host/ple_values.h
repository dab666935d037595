// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/host/ple_params.h"

namespace plectl::host {

// Those of `all`, a module's parameters as read, that are PLE's.
ParamValues PleValuesOf(KvmModule module, const ParamValues& all);

}  // namespace plectl::host
