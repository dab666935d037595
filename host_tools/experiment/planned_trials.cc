// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/planned_trials.h"

#include <nlohmann/json.hpp>
#include <string>

#include "host_tools/experiment/plan.h"
#include "host_tools/guests/payload_source.h"

namespace plectl::experiment {

std::optional<size_t> PlannedTrials(const RunLogHead& log) {
  if (log.manifests.empty()) return std::nullopt;
  const nlohmann::json& plan = log.manifests.back().plan;
  const auto trials = plan.find("trials");
  if (trials != plan.end() && trials->is_number_unsigned()) return trials->get<size_t>();
  const auto text = plan.find("text");
  if (text == plan.end() || !text->is_string()) return std::nullopt;
  const auto payloads = guests::EmbeddedPayloads();
  if (!payloads) return std::nullopt;
  const Result<Plan> parsed =
      ParsePlan(text->get_ref<const std::string&>(), "plan of the run log", *payloads);
  if (!parsed) return std::nullopt;
  // Who wrote no number of trials ran equal settings too.
  const size_t sets = parsed->param_sets.size();
  return parsed->trials / sets * (sets + parsed->equal_sets.size());
}

}  // namespace plectl::experiment
