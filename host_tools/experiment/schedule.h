// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/experiment/plan.h"

namespace plectl::experiment {

// One trial to run. `id` depends only on the content (lab seed if any, block, parameters, workload,
// arm), never on its place in the schedule, so that a resumed or sharded run can tell what is done.
struct ScheduledTrial {
  std::string id;
  std::optional<uint64_t> lab_seed;  // the replicate, when the plan has lab_seeds
  uint32_t block = 0;
  size_t param_set = 0;  // index into Plan::param_sets
  size_t workload = 0;   // index into Plan::workloads
  Arm arm = Arm::kPause;
};

// Randomised complete blocks from the plan's seed: each block visits every parameter set once in
// its own random order (a change costs a module reload); inside a parameter set the workloads and
// arms come in random order too. The same plan and seed give the same schedule on any machine. The
// plan's lab_seeds each repeat it in the same order, one after the other: replicates differ in the
// lab only.
std::vector<ScheduledTrial> MakeSchedule(const Plan& plan);

// How often the parameters change along the schedule, the first set of each lab seed included.
size_t CountParamChanges(const std::vector<ScheduledTrial>& schedule);

}  // namespace plectl::experiment
