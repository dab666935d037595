// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "host_tools/experiment/lab_host.h"
#include "host_tools/experiment/planned_trials.h"
#include "host_tools/output/trial_sample.h"

namespace plectl::output {
namespace {

using analysis::Group;
using analysis::Setting;

void AddSession(const experiment::RunLog& log, Report& report) {
  if (log.manifests.empty()) return;
  const experiment::Manifest& first = log.manifests.front();
  const auto name = first.plan.find("name");
  if (name != first.plan.end() && name->is_string()) report.plan = name->get<std::string>();
  report.plan_sha256 = first.plan_sha256;
  report.seed = first.seed;
  report.plectl_version = first.plectl_version;
  report.observers = first.observers;
  report.host = first.host;
}

void AddTrials(const experiment::RunLog& log, Report& report) {
  std::vector<analysis::TrialSample> samples;
  for (const experiment::TrialRecord& trial : log.trials) {
    if (trial.valid()) {
      samples.push_back(ToSample(trial));
    } else {
      ++report.invalid[trial.invalid_because];
    }
  }
  report.trials_valid = samples.size();
  report.lab_seeds = analysis::CountLabSeeds(samples);
  report.groups = analysis::Summarize(samples);
}

// The settings of the groups in the order in which they come up.
std::vector<Setting> AllSettings(const std::vector<Group>& groups) {
  std::vector<Setting> all;
  std::set<std::string_view> names;
  for (const Group& group : groups) {
    for (const Setting& setting : group.settings) {
      if (names.insert(setting.name).second) all.push_back(setting);
    }
  }
  return all;
}

void SplitSettings(Report& report) {
  for (const Setting& setting : AllSettings(report.groups)) {
    const bool fixed = std::ranges::all_of(report.groups, [&setting](const Group& group) {
      return std::ranges::find(group.settings, setting) != group.settings.end();
    });
    if (fixed) {
      report.fixed.push_back(setting);
    } else {
      report.varying.push_back(setting.name);
    }
  }
}

void AddPleOffNotes(Report& report) {
  std::map<std::string, size_t> groups_by_reason;
  for (const Group& group : report.groups) {
    if (!group.ple_off_because.empty()) ++groups_by_reason[group.ple_off_because];
  }
  for (const auto& [reason, count] : groups_by_reason) {
    report.notes.push_back(
        fmt::format("PLE is off in {} of {} rows: {}", count, report.groups.size(), reason));
  }
}

// "WHAT, WHAT; DETAIL; ..." by what happened, with the details of one trial.
void AddDisturbedNotes(const experiment::RunLog& log, Report& report) {
  struct Kind {
    size_t trials = 0;
    std::string_view example;
  };
  std::map<std::string_view, Kind> kinds;
  for (const experiment::TrialRecord& trial : log.trials) {
    if (!trial.valid() || trial.disturbed_because.empty()) continue;
    const std::string_view reason = trial.disturbed_because;
    Kind& kind = kinds[reason.substr(0, reason.find("; "))];
    ++kind.trials;
    if (kind.example.empty()) kind.example = reason;
    ++report.trials_disturbed;
  }
  for (const auto& [happened, kind] : kinds) {
    const std::string_view detail =
        kind.example.substr(std::min(happened.size() + 2, kind.example.size()));
    report.notes.push_back(fmt::format(
        "{} of the {} trials in the table were disturbed by the host and kept after their repeats: "
        "{}{}{}",
        kind.trials, report.trials_valid, happened, detail.empty() ? "" : "; for example ",
        detail));
  }
}

// One session in the lab is enough: its trials stand among the others.
void AddLab(const experiment::RunLog& log, Report& report) {
  const auto session = std::ranges::find_if(
      log.manifests, [](const auto& manifest) { return experiment::IsLab(manifest.host); });
  if (session == log.manifests.end()) return;
  report.lab = experiment::LabText(session->host);
  const std::string own_note = experiment::LabNote(session->host);
  report.notes.push_back(fmt::format(
      "measured in the lab: {}",
      own_note.empty()
          ? "time there is emulated instructions, not silicon; counts are exact, throughput and "
            "cycles predict nothing about a real CPU"
          : own_note));
}

void AddHostNotes(const experiment::RunLog& log, Report& report) {
  AddLab(log, report);
  if (log.manifests.size() > 1) {
    report.notes.push_back(fmt::format("merged from {} sessions", log.manifests.size()));
  }
}

}  // namespace

Completeness CompletenessOf(const Report& report) {
  if (!report.trials_planned) return Completeness::kUnknown;
  return report.trials_valid < *report.trials_planned ? Completeness::kIncomplete
                                                      : Completeness::kComplete;
}

Report MakeReport(const experiment::RunLog& log, std::string_view run) {
  Report report;
  report.run = run;
  report.notes = log.notes;
  report.trials_planned = experiment::PlannedTrials(log);
  AddSession(log, report);
  AddTrials(log, report);
  SplitSettings(report);
  AddPleOffNotes(report);
  AddDisturbedNotes(log, report);
  AddHostNotes(log, report);
  return report;
}

std::string_view SettingValue(const Group& group, std::string_view name) {
  const auto found = std::ranges::find(group.settings, name, &Setting::name);
  return found == group.settings.end() ? std::string_view() : std::string_view(found->value);
}

}  // namespace plectl::output
