// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/experiment/plan.h"

namespace plectl::experiment {

// What `plectl sweep` would do with `plan` and `directory`, as text or as one JSON object: the
// trials that are left in their order, how often the module would be reloaded, and how long that
// may take. Changes nothing. BadInput when the directory holds a run of another plan.
Result<std::string> DescribeDryRun(const Plan& plan, const std::filesystem::path& directory,
                                   bool as_json);

}  // namespace plectl::experiment
