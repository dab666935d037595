// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/result.h"
#include "host_tools/cli/command.h"
#include "host_tools/cli/sweep_options.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::cli {

// Takes this host for trials of `plan` with guests of `payloads`: checks that it can run them,
// holds the parameter session, attaches the observers. Environment error when something is missing.
Result<std::unique_ptr<experiment::Executor>> MakeKvmExecutor(CommandContext& context,
                                                              const experiment::Plan& plan,
                                                              const guests::PayloadImage& payloads,
                                                              const SweepArguments& arguments);

// For a dry run: whether this host, when its module is loaded, would take every parameter set of
// the plan, with what the plan does not name.
Status CheckPlanOnThisHost(const HostRoot& root, const experiment::Plan& plan);

}  // namespace plectl::cli
