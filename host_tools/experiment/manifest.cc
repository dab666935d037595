// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/manifest.h"

#include <fmt/format.h>

#include "host_tools/experiment/json_fields.h"

namespace plectl::experiment {
namespace {

Result<int> ReadSchema(const JsonFields& fields) {
  PLECTL_ASSIGN_OR_RETURN(const uint64_t schema, fields.Uint("schema", INT32_MAX));
  if (schema > kRunLogSchema) {
    return BadInput(
        fmt::format("schema {} is newer than this plectl reads (up to {})", schema, kRunLogSchema),
        "read it with the plectl that wrote it, or a newer one");
  }
  if (schema == 0) return fields.Wrong("schema", "1 or above");
  return static_cast<int>(schema);
}

// An object whose content is only passed on.
Result<nlohmann::json> ReadObject(const JsonFields& fields, std::string_view key) {
  PLECTL_RETURN_IF_ERROR(fields.Object(key));
  PLECTL_ASSIGN_OR_RETURN(const JsonValue object, fields.Any(key));
  return object.ToTree();
}

}  // namespace

nlohmann::json ToJson(const Manifest& manifest) {
  nlohmann::json object = {{"kind", "manifest"},
                           {"schema", manifest.schema},
                           {"plectl_version", manifest.plectl_version},
                           {"plan", manifest.plan},
                           {"plan_sha256", manifest.plan_sha256},
                           {"payload_sha256", manifest.payload_sha256},
                           {"seed", manifest.seed},
                           {"host", manifest.host},
                           {"observers", manifest.observers}};
  if (!manifest.calibration.is_null()) object["calibration"] = manifest.calibration;
  if (!manifest.observer_cost.is_null()) object["observer_cost"] = manifest.observer_cost;
  return object;
}

Result<Manifest> ManifestFromJson(const nlohmann::json& json) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(json, "manifest"));
  Manifest manifest;
  PLECTL_ASSIGN_OR_RETURN(manifest.schema, ReadSchema(fields));
  PLECTL_ASSIGN_OR_RETURN(manifest.plectl_version, fields.Text("plectl_version"));
  PLECTL_ASSIGN_OR_RETURN(manifest.plan, ReadObject(fields, "plan"));
  PLECTL_ASSIGN_OR_RETURN(manifest.plan_sha256, fields.Text("plan_sha256"));
  PLECTL_ASSIGN_OR_RETURN(manifest.payload_sha256, fields.Text("payload_sha256"));
  PLECTL_ASSIGN_OR_RETURN(manifest.seed, fields.Uint("seed"));
  PLECTL_ASSIGN_OR_RETURN(manifest.host, ReadObject(fields, "host"));
  PLECTL_ASSIGN_OR_RETURN(manifest.observers, fields.TextList("observers"));
  if (fields.Has("calibration")) {
    PLECTL_ASSIGN_OR_RETURN(manifest.calibration, ReadObject(fields, "calibration"));
  }
  if (fields.Has("observer_cost")) {
    PLECTL_ASSIGN_OR_RETURN(manifest.observer_cost, ReadObject(fields, "observer_cost"));
  }
  return manifest;
}

}  // namespace plectl::experiment
