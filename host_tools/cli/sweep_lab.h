// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/cli/sweep_options.h"
#include "host_tools/experiment/sweep.h"

namespace plectl::cli {

// Where a lab's sweep finds its plan, and keeps its run.
inline constexpr std::string_view kPlanInLab = "/job/plan.yaml";
inline constexpr std::string_view kRunInLab = "/job/run";

// Boots the lab, runs what is left of `plan` there with the very same plectl, and appends each
// record to the run log as soon as it leaves the lab. When the plan has lab_seeds, each one with
// work left gets a lab of its own, one after the other in the plan's order. `stop_fd` becomes
// readable when the run must end (StopSignal::fd()).
Status SweepInLab(const experiment::Plan& plan, const experiment::RemainingWork& work,
                  const SweepArguments& arguments, experiment::SweepProgress& progress,
                  int stop_fd);

}  // namespace plectl::cli
