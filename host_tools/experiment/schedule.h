// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host_tools/experiment/plan.h"

namespace plectl::experiment {

// One trial to run. `id` depends only on the content (block, parameters, workload, arm), never on
// its place in the schedule, so that a resumed or sharded run can tell what is done.
struct ScheduledTrial {
  std::string id;
  uint32_t block = 0;
  size_t param_set = 0;  // index into Plan::param_sets
  size_t workload = 0;   // index into Plan::workloads
  Arm arm = Arm::kPause;
};

// Randomised complete blocks from the plan's seed: each block visits every parameter set once in
// its own random order (a change costs a module reload); inside a parameter set the workloads and
// arms come in random order too. The same plan and seed give the same schedule on any machine.
std::vector<ScheduledTrial> MakeSchedule(const Plan& plan);

// How often the parameters change along the schedule, the first set included.
size_t CountParamChanges(const std::vector<ScheduledTrial>& schedule);

}  // namespace plectl::experiment
