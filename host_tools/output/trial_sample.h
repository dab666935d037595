// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/analysis/summary.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::output {

// A valid trial's record in the terms of analysis/. Its settings are those of the workload, then
// the parameters as read back; blocks and lab seeds repeat a point and are no settings.
analysis::TrialSample ToSample(const experiment::TrialRecord& trial);

}  // namespace plectl::output
