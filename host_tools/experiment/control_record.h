// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_value.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

// One line "kind":"control" of run.jsonl: a control of the session whose manifest stands before it.
struct ControlRecord {
  std::string name;
  std::string expectation;
  std::string failed_because;        // empty: it came out as it must, or was not run
  std::string missing_because;       // why it was not run: then there is no trial
  std::optional<TrialRecord> trial;  // its id is the control's name
};

nlohmann::json ToJson(const ControlRecord& control);
// BadInput that names the field.
Result<ControlRecord> ControlFromJson(const nlohmann::json& json);
Result<ControlRecord> ControlFromJson(const JsonValue& json);

}  // namespace plectl::experiment
