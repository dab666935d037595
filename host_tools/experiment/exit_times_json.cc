// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/exit_times_json.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace plectl::experiment {
namespace {

using host::ExitTimes;
using nlohmann::json;

struct TimeField {
  std::string_view key;
  uint64_t ExitTimes::*member;
};
constexpr TimeField kFields[] = {{"count", &ExitTimes::count},
                                 {"unfinished", &ExitTimes::unfinished},
                                 {"total_ns", &ExitTimes::total_ns},
                                 {"min_ns", &ExitTimes::min_ns},
                                 {"max_ns", &ExitTimes::max_ns}};

json ToJson(const ExitTimes& times) {
  json object = {{"log2_ns", times.log2_ns}};
  for (const TimeField& field : kFields) object[field.key] = times.*field.member;
  return object;
}

Result<ExitTimes> FromJson(const JsonFields& object) {
  ExitTimes times;
  for (const TimeField& field : kFields) {
    PLECTL_ASSIGN_OR_RETURN(times.*field.member, object.Uint(field.key));
  }
  PLECTL_ASSIGN_OR_RETURN(times.log2_ns, object.UintList("log2_ns", UINT64_MAX));
  return times;
}

}  // namespace

json ToJson(const ExitTimesByReason& times) {
  json object = json::object();
  for (const auto& [reason, of_reason] : times) object[reason] = ToJson(of_reason);
  return object;
}

Result<ExitTimesByReason> ExitTimesFromJson(const JsonFields& object, std::string_view key) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields reasons, object.Object(key));
  PLECTL_ASSIGN_OR_RETURN(const JsonValue items, object.Any(key));
  std::vector<std::string> names;
  items.EachMember([&names](std::string_view reason, const JsonValue& /*value*/) {
    names.emplace_back(reason);
    return true;
  });
  ExitTimesByReason times;
  for (const std::string& reason : names) {
    PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, reasons.Object(reason));
    PLECTL_ASSIGN_OR_RETURN(times[reason], FromJson(fields));
  }
  return times;
}

}  // namespace plectl::experiment
