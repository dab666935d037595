// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/experiment/run_log.h"
#include "host_tools/experiment/schedule.h"

namespace plectl::experiment {

// The lab seeds of `trials` in their order, each once; nothing in place of a seed for trials of a
// plan without lab_seeds.
std::vector<std::optional<uint64_t>> LabSeedsOf(const std::vector<ScheduledTrial>& trials);

// The run log that a lab of this seed goes on from: the first manifest and the seed's own valid
// records. Empty when it has none: what a replicate gives must not depend on the ones before it.
std::string LogOfReplicate(const RunLog& log, uint64_t lab_seed);

}  // namespace plectl::experiment
