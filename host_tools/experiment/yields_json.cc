// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/yields_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "host_tools/base/text.h"

namespace plectl::experiment {
namespace {

using host::DirectedYields;
using nlohmann::json;

struct YieldField {
  std::string_view key;
  uint64_t DirectedYields::*member;
};
constexpr YieldField kFields[] = {{"on_spin_calls", &DirectedYields::on_spin_calls},
                                  {"without_candidate", &DirectedYields::without_candidate},
                                  {"attempts", &DirectedYields::attempts},
                                  {"succeeded", &DirectedYields::succeeded},
                                  {"refused", &DirectedYields::refused},
                                  {"not_needed", &DirectedYields::not_needed},
                                  {"failed", &DirectedYields::failed}};

}  // namespace

json ToJson(const DirectedYields& yields) {
  json object = {{"boosted", json::object()}};
  for (const YieldField& field : kFields) object[field.key] = yields.*field.member;
  for (const auto& [target, times] : yields.boosted) {
    object["boosted"][std::to_string(target)] = times;
  }
  return object;
}

Result<DirectedYields> YieldsFromJson(const JsonFields& vcpu, std::string_view key) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, vcpu.Object(key));
  DirectedYields yields;
  for (const YieldField& field : kFields) {
    PLECTL_ASSIGN_OR_RETURN(yields.*field.member, object.Uint(field.key));
  }
  PLECTL_ASSIGN_OR_RETURN(const auto boosted, object.UintMap("boosted"));
  for (const auto& [name, times] : boosted) {
    const auto target = ParseUint(name);
    if (!target || *target > UINT32_MAX) return object.Wrong("boosted", "vCPU ids as keys");
    yields.boosted[static_cast<uint32_t>(*target)] = times;
  }
  return yields;
}

}  // namespace plectl::experiment
