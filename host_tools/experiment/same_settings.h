// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::experiment {

// A run has one setting of its host: BadInput, naming the first that differs, when a session would
// go on under others than the first one had: parameters that the plan does not set, kernel command
// line, mitigations, SMT, frequency, CPU limits. What either manifest does not tell is not
// compared. For sessions that are about to begin; a log that holds two is read as it is.
Status CheckSameSettings(const Manifest& before, const Manifest& now);

}  // namespace plectl::experiment
