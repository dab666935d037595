// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/sweep.h"

namespace plectl::experiment {

// One JSON object has all trials, a text only when asked for.
enum class DryRunForm { kText, kTextWithTrials, kJson };

// What `plectl sweep` would do with `plan`: the trials that are left in their order, how often the
// module would be reloaded, and how long that may take.
std::string DescribeDryRun(const Plan& plan, const RemainingWork& work, DryRunForm form);

}  // namespace plectl::experiment
