// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "host_tools/lab/engine_facts.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// What a lab says of itself in every run log ("host"."lab" of docs/run_format.md): the emulator,
// the machine, the profile with its source, how exact its time is, and that it is no silicon. Keys
// that begin with "seed" tell only of the run's phase: replicates may differ in them.
// `snapshot_key`: empty for a cold boot. `engine_facts`: null when the emulator was not tested.
nlohmann::json LabFacts(const LabOptions& options, std::string_view engine_version,
                        std::string_view snapshot_key, const EngineFacts* engine_facts);

}  // namespace plectl::lab
