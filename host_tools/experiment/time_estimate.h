// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/experiment/schedule.h"

namespace plectl::experiment {

// How long trials will take, and what that is based on.
struct TimeEstimate {
  double total_s = 0;
  std::string basis;  // part of a sentence
};

// With records in `log`: the median cost of their reloads and, per workload, of their trials.
// Without: fixed guesses, and `basis` says so.
TimeEstimate EstimateTime(const Plan& plan, const std::vector<ScheduledTrial>& trials,
                          const RunLog& log);

}  // namespace plectl::experiment
