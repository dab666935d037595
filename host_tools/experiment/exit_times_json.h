// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::experiment {

using ExitTimesByReason = std::map<std::string, host::ExitTimes>;

nlohmann::json ToJson(const ExitTimesByReason& times);
Result<ExitTimesByReason> ExitTimesFromJson(const JsonFields& object, std::string_view key);

}  // namespace plectl::experiment
