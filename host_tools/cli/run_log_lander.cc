// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/run_log_lander.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "host_tools/experiment/json_fields.h"
#include "host_tools/experiment/same_settings.h"

namespace plectl::cli {

RunLogLander::RunLogLander(const experiment::Plan& plan, const experiment::RemainingWork& work,
                           experiment::RunLogWriter& writer, experiment::SweepProgress& progress)
    : seed_rule_(experiment::LabSeedRuleOf(plan)), writer_(writer), progress_(progress) {
  if (!work.manifests.empty()) first_manifest_ = work.manifests.front();
}

void RunLogLander::OnProgress(std::string_view text) { progress_.OnNote(text); }

Status RunLogLander::OnBooted(const lab::LabHello& /*hello*/, std::chrono::milliseconds boot_time) {
  progress_.OnNote(
      fmt::format("the lab is up after {:.1f} s", static_cast<double>(boot_time.count()) / 1000));
  return OkStatus();
}

Status RunLogLander::OnStderr(std::string_view bytes) {
  fmt::print(stderr, "{}", bytes);
  return OkStatus();
}

Status RunLogLander::OnRecord(std::string_view line) {
  PLECTL_ASSIGN_OR_RETURN(const nlohmann::json json, experiment::ParseJsonObject(line));
  PLECTL_ASSIGN_OR_RETURN(const experiment::JsonFields fields,
                          experiment::JsonFields::Of(json, "record of the lab"));
  PLECTL_ASSIGN_OR_RETURN(const std::string kind, fields.Text("kind"));
  if (kind == "manifest") {
    PLECTL_ASSIGN_OR_RETURN(const experiment::Manifest manifest,
                            experiment::ManifestFromJson(json));
    return Land(manifest);
  }
  if (kind == "control") {
    PLECTL_ASSIGN_OR_RETURN(const experiment::ControlRecord control,
                            experiment::ControlFromJson(json));
    PLECTL_RETURN_IF_ERROR(writer_.Append(control));
    progress_.OnControl(control);
    return OkStatus();
  }
  PLECTL_ASSIGN_OR_RETURN(const experiment::TrialRecord record, experiment::TrialFromJson(json));
  return Land(record);
}

// The plectl inside has seen only the sessions of its own seed.
Status RunLogLander::Land(const experiment::Manifest& manifest) {
  if (first_manifest_) {
    PLECTL_RETURN_IF_ERROR(experiment::CheckSameHost(*first_manifest_, manifest, seed_rule_));
    PLECTL_RETURN_IF_ERROR(experiment::CheckSameSettings(*first_manifest_, manifest));
  } else {
    first_manifest_ = manifest;
  }
  PLECTL_RETURN_IF_ERROR(writer_.Append(manifest));
  progress_.OnManifest(manifest);
  return OkStatus();
}

Status RunLogLander::Land(const experiment::TrialRecord& record) {
  if (record.lab_seed != lab_seed_) {
    return Internal(
        fmt::format("the lab sent trial {} of another lab seed than it has", record.id));
  }
  PLECTL_RETURN_IF_ERROR(writer_.Append(record));
  progress_.OnRecord(record);
  return OkStatus();
}

}  // namespace plectl::cli
