// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host_tools/analysis/summary.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::output {

// A valid trial's record in the terms of analysis/. Its settings are those of the workload, then
// the parameters as read back; blocks and lab seeds repeat a point and are no settings.
analysis::TrialSample ToSample(const experiment::TrialRecord& trial);
// Its parts: what is the same for all trials of a point, and the rest.
std::vector<analysis::Setting> SettingsOf(const guests::Workload& workload,
                                          const host::ParamValues& params);
analysis::TrialSample FiguresOfTrial(const experiment::TrialRecord& trial);

}  // namespace plectl::output
