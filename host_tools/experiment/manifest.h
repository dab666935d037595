// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::experiment {

inline constexpr int kRunLogSchema = 1;

// The first line of a run log, and of each session that resumed it.
struct Manifest {
  int schema = kRunLogSchema;
  std::string plectl_version;
  nlohmann::json plan = nlohmann::json::object();  // the plan's name, seed, blocks and text
  std::string plan_sha256;
  std::string payload_sha256;  // of the guest, without what differs between the arms
  uint64_t seed = 0;
  nlohmann::json host = nlohmann::json::object();  // the fingerprint (host::Fingerprint)
  std::vector<std::string> observers;
  nlohmann::json calibration;    // experiment/calibration.h; null: not in older logs
  nlohmann::json observer_cost;  // what they add to each exit; null: not in older logs
};

nlohmann::json ToJson(const Manifest& manifest);
// BadInput that names the field; a schema newer than kRunLogSchema is refused with that reason.
Result<Manifest> ManifestFromJson(const nlohmann::json& json);

}  // namespace plectl::experiment
