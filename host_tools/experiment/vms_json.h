// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// A trial's "vms": what each VM did, under the keys that the trial has for all of them together.
nlohmann::json VmsToJson(const std::vector<guests::VmResult>& vms);
// Empty when the key is absent: an older record.
Result<std::vector<guests::VmResult>> VmsFromJson(const JsonFields& trial, Keep keep = Keep::kYes);

}  // namespace plectl::experiment
