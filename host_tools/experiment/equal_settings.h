// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "host_tools/host/module_params.h"

namespace plectl::experiment {

// The settings that KVM acts upon, of those in `params`: equal for settings with equal effect.
// Where PLE is off (ple_gap 0; pause_filter_count or _thresh 0) the rest does nothing; a window
// that never grows (grow 0 or 1, or a maximum at the base) makes shrink and maximum do nothing, and
// a first growth to the maximum makes any greater factor do the same.
// Nothing is assumed of parameters that are not in `params`, nor of values that are no numbers.
host::ParamValues EffectOf(const host::ParamValues& params);

// Takes the sets out of `sets` that have the effect of an earlier one, and gives them back. The
// first of each stays as it is, and with it the ids of its trials.
// Part of a sentence: why a setting can have the effect of another.
std::string WhyEqual(const host::ParamValues& params);

std::vector<host::ParamValues> TakeEqualSettings(std::vector<host::ParamValues>& sets);

}  // namespace plectl::experiment
