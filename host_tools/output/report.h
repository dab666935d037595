// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host_tools/analysis/summary.h"
#include "host_tools/experiment/point.h"
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
  std::map<std::string, size_t> invalid;  // how many records by reason; a trial can have several
  std::map<std::string, std::set<std::string>> invalid_ids;  // of which trials
  size_t trials_disturbed = 0;                               // of the valid ones
  size_t trials_not_contended = 0;                           // of the valid ones
  std::vector<std::string> notes;
};

// How much of its plan the run has measured, as far as that is known.
enum class Completeness { kUnknown, kIncomplete, kComplete };
Completeness CompletenessOf(const Report& report);

// Summarises a run while its log is read.
class ReportBuilder final : public experiment::TrialSink {
 public:
  [[nodiscard]] experiment::TrialParts parts() const override {
    return experiment::TrialParts::kFigures;
  }
  void OnTrial(experiment::TrialRecord trial, const experiment::LinePlace& place) override;
  void Restart() override { *this = ReportBuilder(); }
  // When all has been read.
  [[nodiscard]] Report Build(const experiment::RunLogHead& head, std::string_view run) const;

 private:
  // Trials that the host disturbed, by what happened.
  struct Disturbed {
    size_t trials = 0;
    std::string example;
  };
  void AddDisturbedNotes(Report& report) const;
  void AddNotContendedNote(Report& report) const;

  analysis::Summarizer summarizer_;
  std::unordered_map<experiment::PointArm, size_t, experiment::PointArmHash> groups_;
  size_t trials_valid_ = 0;
  std::map<std::string, size_t> invalid_;
  std::map<std::string, std::set<std::string>> invalid_ids_;
  std::map<std::string, Disturbed, std::less<>> disturbed_;
  size_t not_contended_ = 0;
  std::string not_contended_example_;
};

// The same of a log that was read as a whole.
Report MakeReport(const experiment::RunLog& log, std::string_view run);

// The value of a group's setting, or "" when it has none of this name.
std::string_view SettingValue(const analysis::Group& group, std::string_view name);

}  // namespace plectl::output
