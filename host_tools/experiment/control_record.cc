// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/control_record.h"

#include <nlohmann/json.hpp>

#include "host_tools/experiment/json_fields.h"

namespace plectl::experiment {

nlohmann::json ToJson(const ControlRecord& control) {
  nlohmann::json object = {{"kind", "control"}, {"name", control.name}};
  if (!control.trial) {
    object["missing_because"] = control.missing_because;
    return object;
  }
  object["expectation"] = control.expectation;
  object["passed"] = control.failed_because.empty();
  if (!control.failed_because.empty()) object["failed_because"] = control.failed_because;
  object["trial"] = ToJson(*control.trial);
  object["trial"].erase("kind");  // it is no trial of the plan, also for who looks at lines only
  return object;
}

Result<ControlRecord> ControlFromJson(const nlohmann::json& json) {
  return ControlFromJson(JsonValue(json));
}

Result<ControlRecord> ControlFromJson(const JsonValue& json) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(json, "control"));
  ControlRecord control;
  PLECTL_ASSIGN_OR_RETURN(control.name, fields.Text("name"));
  if (fields.Has("missing_because")) {
    PLECTL_ASSIGN_OR_RETURN(control.missing_because, fields.Text("missing_because"));
    return control;
  }
  PLECTL_ASSIGN_OR_RETURN(control.expectation, fields.Text("expectation"));
  PLECTL_ASSIGN_OR_RETURN(control.failed_because, fields.TextOrEmpty("failed_because"));
  PLECTL_ASSIGN_OR_RETURN(const bool passed, fields.Bool("passed"));
  if (passed != control.failed_because.empty()) {
    return fields.Wrong("failed_because", passed ? "nothing when it passed" : "a reason");
  }
  PLECTL_ASSIGN_OR_RETURN(const JsonValue trial, fields.Any("trial"));
  PLECTL_ASSIGN_OR_RETURN(control.trial, TrialFromJson(trial));
  return control;
}

}  // namespace plectl::experiment
