// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/statistics_json.h"

#include <nlohmann/json.hpp>

namespace plectl::experiment {

nlohmann::json StatisticsToJson(const guests::StatisticGrowths& growths) {
  if (!growths.missing_because.empty()) return {{"missing_because", growths.missing_because}};
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, growth] : growths.values) {
    if (growth != 0) object[name] = growth;
  }
  return object;
}

Result<guests::StatisticGrowths> StatisticsFromJson(const JsonFields& object, std::string_view key,
                                                    Keep keep) {
  guests::StatisticGrowths growths;
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, object.Object(key));
  if (fields.Has("missing_because")) {
    PLECTL_ASSIGN_OR_RETURN(growths.missing_because, fields.Text("missing_because"));
    return growths;
  }
  PLECTL_ASSIGN_OR_RETURN(growths.values, object.UintMap(key, keep));
  return growths;
}

}  // namespace plectl::experiment
