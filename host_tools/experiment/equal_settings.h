// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host_tools/host/module_params.h"

namespace plectl::experiment {

// The settings that KVM acts upon, of those in `params`: equal for settings with equal effect.
// Where PLE is off (ple_gap 0; pause_filter_count or _thresh 0) the rest does nothing; a window
// that never grows (grow 0 or 1, or a maximum at the base) makes shrink and maximum do nothing.
// Nothing is assumed of parameters that are not in `params`, nor of values that are no numbers.
host::ParamValues EffectOf(const host::ParamValues& params);

// Takes the sets out of `sets` that have the effect of an earlier one, and gives them back. The
// first of each stays as it is, and with it the ids of its trials.
std::vector<host::ParamValues> TakeEqualSettings(std::vector<host::ParamValues>& sets);

}  // namespace plectl::experiment
