// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "host_tools/experiment/run_log_reader.h"

namespace plectl::experiment {

// How many trials the plan of a run makes, as its last session says. Of older logs, which do not
// say it, by their plan's text. Nothing when that is not to be had: a plan of another guest or
// plectl.
std::optional<size_t> PlannedTrials(const RunLogHead& log);

}  // namespace plectl::experiment
