// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/yaml_tree.h"
#include "host_tools/host/module_params.h"

namespace plectl::experiment {

// The plan's `params`: every combination of the values, the first parameter slowest; of a list of
// maps those of each, in order. Refuses sets that stand twice,
// unknown parameters, Intel mixed with AMD names, parameters that are not about pause loops, and
// combinations that the kernel would mangle (host::CheckPleValues): the place is then that of the
// value without which the combination is fine.
Result<std::vector<host::ParamValues>> ReadParamSets(const YamlNode& params);

}  // namespace plectl::experiment
