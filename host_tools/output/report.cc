// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "host_tools/experiment/equal_settings.h"
#include "host_tools/experiment/lab_host.h"
#include "host_tools/experiment/planned_trials.h"
#include "host_tools/output/trial_sample.h"

namespace plectl::output {
namespace {

using analysis::Group;
using analysis::Setting;

void AddSession(const experiment::RunLogHead& log, Report& report) {
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

// One session in the lab is enough: its trials stand among the others.
void AddLab(const experiment::RunLogHead& log, Report& report) {
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

void AddHostNotes(const experiment::RunLogHead& log, Report& report) {
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

void ReportBuilder::OnTrial(experiment::TrialRecord trial, const experiment::LinePlace& /*place*/) {
  if (!trial.valid()) {
    ++invalid_[trial.invalid_because];
    invalid_ids_[trial.invalid_because].insert(trial.id);
    return;
  }
  ++trials_valid_;
  if (!trial.disturbed_because.empty()) {
    // "WHAT, WHAT; DETAIL; ...": by what happened, with the details of one trial.
    const std::string_view reason = trial.disturbed_because;
    Disturbed& disturbed = disturbed_[std::string(reason.substr(0, reason.find("; ")))];
    ++disturbed.trials;
    if (disturbed.example.empty()) disturbed.example = reason;
  }
  if (!trial.not_contended_because.empty() && ++not_contended_ == 1) {
    not_contended_example_ = trial.not_contended_because;
  }
  const analysis::TrialSample figures = FiguresOfTrial(trial);
  experiment::PointArm point{std::move(trial.workload), std::move(trial.params), trial.arm};
  auto known = groups_.find(point);
  if (known == groups_.end()) {
    const std::string arm(experiment::ArmName(point.arm));
    const size_t group =
        summarizer_.GroupOf(SettingsOf(point.workload, experiment::EffectOf(point.params)), arm,
                            SettingsOf(point.workload, point.params));
    known = groups_.emplace(std::move(point), group).first;
  }
  summarizer_.Add(known->second, figures);
}

// Whatever its figures are, such a row says nothing about its lock.
void ReportBuilder::AddNotContendedNote(Report& report) const {
  report.trials_not_contended = not_contended_;
  if (not_contended_ == 0) return;
  const auto rows = std::ranges::count_if(
      report.groups, [](const Group& group) { return group.not_contended > 0; });
  report.notes.push_back(
      fmt::format("NOT CONTENDED: in {} of {} rows the vCPUs hardly met, so their figures say "
                  "nothing about the payload or about PLE; for example {}",
                  rows, report.groups.size(), not_contended_example_));
}

void ReportBuilder::AddDisturbedNotes(Report& report) const {
  for (const auto& [happened, kind] : disturbed_) {
    report.trials_disturbed += kind.trials;
    const std::string detail =
        kind.example.substr(std::min(happened.size() + 2, kind.example.size()));
    report.notes.push_back(fmt::format(
        "{} of the {} trials in the table were disturbed by the host and kept after their repeats: "
        "{}{}{}",
        kind.trials, report.trials_valid, happened, detail.empty() ? "" : "; for example ",
        detail));
  }
}

Report ReportBuilder::Build(const experiment::RunLogHead& head, std::string_view run) const {
  Report report;
  report.run = run;
  report.notes = head.notes;
  report.trials_planned = experiment::PlannedTrials(head);
  AddSession(head, report);
  report.trials_valid = trials_valid_;
  report.invalid = invalid_;
  report.invalid_ids = invalid_ids_;
  report.lab_seeds = summarizer_.lab_seeds();
  report.groups = summarizer_.Groups();
  SplitSettings(report);
  AddPleOffNotes(report);
  AddNotContendedNote(report);
  AddDisturbedNotes(report);
  AddHostNotes(head, report);
  return report;
}

Report MakeReport(const experiment::RunLog& log, std::string_view run) {
  ReportBuilder builder;
  for (const experiment::TrialRecord& trial : log.trials) builder.OnTrial(trial, {});
  return builder.Build(log, run);
}

std::string_view SettingValue(const Group& group, std::string_view name) {
  const auto found = std::ranges::find(group.settings, name, &Setting::name);
  return found == group.settings.end() ? std::string_view() : std::string_view(found->value);
}

}  // namespace plectl::output
