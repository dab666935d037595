// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::experiment {

nlohmann::json ToJson(const host::DirectedYields& yields);
Result<host::DirectedYields> YieldsFromJson(const JsonFields& vcpu, std::string_view key);

}  // namespace plectl::experiment
