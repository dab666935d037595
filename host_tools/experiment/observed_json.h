// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::experiment {

// Adds what the observer knows of each vCPU to its object in `vcpus`, a trial's list of them
// (docs/run_format.md). Nothing when `observed` is of another number of vCPUs.
void ObservedToJson(const std::vector<host::VcpuCounts>& observed, nlohmann::json& vcpus);

// The same from a trial: empty when its vCPUs hold nothing of the kind. BadInput that names the
// field when something is not as written above.
Result<std::vector<host::VcpuCounts>> ObservedFromJson(const JsonFields& trial,
                                                       Keep keep = Keep::kYes);

}  // namespace plectl::experiment
