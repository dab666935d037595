// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/experiment/schedule.h"
#include "host_tools/experiment/sweep.h"

namespace plectl::experiment {

// The lab seeds of `trials` in their order, each once; nothing in place of a seed for trials of a
// plan without lab_seeds.
std::vector<std::optional<uint64_t>> LabSeedsOf(const std::vector<ScheduledTrial>& trials);

// The run log that a lab of this seed goes on from: the first manifest, and of each of the seed's
// finished trials a record that holds its id and nothing measured, since a log can be larger than a
// lab. Empty when it has none: what a replicate gives must not depend on the ones before it.
std::string LogOfReplicate(const RemainingWork& work, std::optional<uint64_t> lab_seed);

}  // namespace plectl::experiment
