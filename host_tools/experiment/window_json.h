// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::experiment {

// {"changes": n, "first": .., "last": .., "max": .., "track": [[ns, old, new], ...]}; a track with
// changes left out of its middle also says how many, and after how many entries.
nlohmann::json ToJson(const host::WindowTrack& track);
Result<host::WindowTrack> WindowFromJson(const JsonFields& vcpu, std::string_view key,
                                         Keep keep = Keep::kYes);

}  // namespace plectl::experiment
