// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// {"exits": n, ...}, without those that did not grow; or {"missing_because": TEXT}.
nlohmann::json StatisticsToJson(const guests::StatisticGrowths& growths);
Result<guests::StatisticGrowths> StatisticsFromJson(const JsonFields& object, std::string_view key,
                                                    Keep keep = Keep::kYes);

}  // namespace plectl::experiment
