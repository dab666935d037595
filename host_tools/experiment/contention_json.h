// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// {"overlap_share": ..., "contended": ..., "acquisitions": ..., "contended_share": ...}, as in a
// trial's or VM's "contention".
nlohmann::json ToJson(const guests::Contention& contention);
// Nothing when the key is absent: older records, and payloads that need no contention.
Result<std::optional<guests::Contention>> ContentionFromJson(const JsonFields& object);

}  // namespace plectl::experiment
