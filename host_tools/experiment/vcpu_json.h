// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// A trial's "vcpus", in the order of the vCPU numbers. What the payload does not measure is left
// out (docs/run_format.md).
nlohmann::json VcpusToJson(const std::vector<guests::VcpuResult>& vcpus);

// BadInput that names the field when "vcpus" of `trial` is absent or not as written above. Details
// are all but their times, their acquisitions and `extra`.
Result<std::vector<guests::VcpuResult>> VcpusFromJson(const JsonFields& trial,
                                                      Keep keep_details = Keep::kYes);

}  // namespace plectl::experiment
