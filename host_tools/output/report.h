// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/analysis/summary.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::output {

// What a report says about a run, whatever its format.
// NOLINTNEXTLINE(bugprone-exception-escape): clang-tidy 14 distrusts the move of json
struct Report {
  std::string run;   // its folder or file, as given
  std::string plan;  // its name
  std::string plan_sha256;
  uint64_t seed = 0;
  std::string plectl_version;
  std::vector<std::string> observers;
  nlohmann::json host;  // the fingerprint of the first session
  std::string lab;      // the lab in one line that says it is no silicon; empty on a real host
  // Settings that are the same in all groups, and the names of the others in their order. Only
  // groups with exactly the same setting names can be told apart by a table.
  std::vector<analysis::Setting> fixed;
  std::vector<std::string> varying;
  std::vector<analysis::Group> groups;
  size_t trials_valid = 0;
  std::optional<size_t> trials_planned;   // nothing when the log does not tell
  size_t lab_seeds = 0;                   // different ones among the valid trials
  std::map<std::string, size_t> invalid;  // how many records by reason
  size_t trials_disturbed = 0;            // of the valid ones
  std::vector<std::string> notes;
};

// How much of its plan the run has measured, as far as that is known.
enum class Completeness { kUnknown, kIncomplete, kComplete };
Completeness CompletenessOf(const Report& report);

// Adapts and summarises a run log.
Report MakeReport(const experiment::RunLog& log, std::string_view run);

// The value of a group's setting, or "" when it has none of this name.
std::string_view SettingValue(const analysis::Group& group, std::string_view name);

}  // namespace plectl::output
