// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/contention_json.h"

#include <nlohmann/json.hpp>

namespace plectl::experiment {
namespace {

constexpr std::string_view kKey = "contention";

}  // namespace

nlohmann::json ToJson(const guests::Contention& contention) {
  return {{"overlap_share", contention.overlap},
          {"contended", contention.contended},
          {"acquisitions", contention.acquisitions},
          {"contended_share", contention.contended_share()}};
}

Result<std::optional<guests::Contention>> ContentionFromJson(const JsonFields& object) {
  if (!object.Has(kKey)) return std::optional<guests::Contention>();
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, object.Object(kKey));
  guests::Contention contention;
  PLECTL_ASSIGN_OR_RETURN(contention.overlap, fields.Number("overlap_share", 1));
  PLECTL_ASSIGN_OR_RETURN(contention.contended, fields.Uint("contended"));
  PLECTL_ASSIGN_OR_RETURN(contention.acquisitions, fields.Uint("acquisitions"));
  if (contention.contended > contention.acquisitions) {
    return fields.Wrong("contended", "at most `acquisitions`");
  }
  return std::optional<guests::Contention>(contention);
}

}  // namespace plectl::experiment
