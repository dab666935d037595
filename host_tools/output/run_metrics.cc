// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/run_metrics.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "host_tools/experiment/lab_host.h"
#include "host_tools/output/trial_metrics.h"

namespace plectl::output {
namespace {

using metrics::Labels;
using metrics::MetricsBuilder;

// Run logs come from outside: what is no text there is an empty label.
std::string TextAt(const nlohmann::json& json, const char* pointer) {
  const nlohmann::json::json_pointer place(pointer);
  const bool is_text = json.contains(place) && json.at(place).is_string();
  return is_text ? json.at(place).get<std::string>() : std::string();
}

Labels InfoOf(const experiment::Manifest& manifest) {
  return {{"plan_sha256", manifest.plan_sha256},
          {"seed", std::to_string(manifest.seed)},
          {"plectl_version", manifest.plectl_version},
          {"kernel", TextAt(manifest.host, "/kernel/release")},
          {"cpu", TextAt(manifest.host, "/cpu/model_name")},
          {"module", TextAt(manifest.host, "/module/name")},
          {"lab", experiment::LabText(manifest.host)}};
}

// `labels` after that of the run.
Labels Of(const RunFigures& figures, const Labels& labels) {
  Labels all = {{"run", figures.run}};
  all.insert(all.end(), labels.begin(), labels.end());
  return all;
}

void AddCounts(const RunFigures& figures, MetricsBuilder& builder) {
  auto& trials = builder.Gauge(
      "plectl_run_trials",
      "Trials of the run: with a valid record, with invalid ones only, in the plan (run log)");
  const auto add = [&](const char* state, size_t count) {
    metrics::AddSample(trials, Of(figures, {{"state", state}}), static_cast<double>(count));
  };
  add("valid", figures.valid);
  add("invalid", figures.invalid);
  if (figures.planned) add("planned", *figures.planned);
  metrics::AddSample(builder.Gauge("plectl_run_trials_left_out",
                                   "Trials without series of their own (--trials-max)"),
                     Of(figures, {}), static_cast<double>(figures.left_out));
}

void AddControls(const RunFigures& figures, MetricsBuilder& builder) {
  auto& passed = builder.Gauge("plectl_control_passed",
                               "1 when the control came out as it must in the last session that "
                               "ran it (run log: passed)");
  auto& sessions = builder.Gauge("plectl_control_sessions",
                                 "Sessions of the run by what became of the control (run log)");
  for (const auto& [name, tally] : figures.controls) {
    if (tally.last_passed) {
      metrics::AddSample(passed, Of(figures, {{"control", name}}), *tally.last_passed ? 1 : 0);
    }
    const auto add = [&, control = name](const char* result, size_t count) {
      metrics::AddSample(sessions, Of(figures, {{"control", control}, {"result", result}}),
                         static_cast<double>(count));
    };
    add("passed", tally.passed);
    add("failed", tally.failed);
    add("not_run", tally.not_run);
  }
}

prometheus::MetricFamily& SameFamily(const prometheus::MetricFamily& family,
                                     MetricsBuilder& builder) {
  if (family.type == prometheus::MetricType::Summary) {
    return builder.Summary(family.name, family.help);
  }
  return builder.Gauge(family.name, family.help);
}

}  // namespace

void RunCollector::Add(const experiment::Manifest& manifest) {
  if (figures_.info.empty()) figures_.info = InfoOf(manifest);
}

void RunCollector::Add(const experiment::ControlRecord& control) {
  ControlTally& tally = figures_.controls[control.name];
  if (!control.missing_because.empty()) {
    ++tally.not_run;
    return;
  }
  tally.last_passed = control.failed_because.empty();
  ++(*tally.last_passed ? tally.passed : tally.failed);
}

void RunCollector::Add(const experiment::TrialRecord& trial) {
  const auto [entry, is_new] = seen_.try_emplace(trial.id);
  Seen& seen = entry->second;
  ++seen.records;
  if (seen.valid) return;
  if (!is_new) --figures_.invalid;
  seen.valid = trial.valid();
  ++(seen.valid ? figures_.valid : figures_.invalid);
  if (is_new && figures_.trials.size() < trials_max_) {
    seen.place = figures_.trials.size();
    figures_.trials.emplace_back();
  } else if (is_new) {
    ++figures_.left_out;
  }
  if (!seen.place) return;
  AddPoint(trial, PointName(trial));
  figures_.trials[*seen.place] =
      std::make_shared<const RunFigures::Families>(TrialMetrics(figures_.run, trial, seen.records));
}

void RunCollector::AddPoint(const experiment::TrialRecord& trial, const std::string& point) {
  if (!points_.insert(point).second) return;
  Labels labels = {{"point", point}};
  for (metrics::Label& label : PointLabels(trial)) labels.push_back(std::move(label));
  figures_.points.push_back(std::make_shared<const Labels>(std::move(labels)));
}

std::string RunName(const experiment::RunLog& log) {
  return log.manifests.empty() ? std::string() : TextAt(log.manifests.front().plan, "/name");
}

RunFigures FiguresOf(const experiment::RunLog& log, size_t trials_max) {
  RunCollector collector(RunName(log), trials_max);
  for (const experiment::Manifest& manifest : log.manifests) collector.Add(manifest);
  for (const experiment::ControlRecord& control : log.controls) collector.Add(control);
  for (const experiment::TrialRecord& trial : log.trials) collector.Add(trial);
  return collector.figures();
}

void AddFamilies(const RunFigures& figures, MetricsBuilder& builder) {
  if (!figures.info.empty()) {
    metrics::AddSample(
        builder.Gauge("plectl_run_info", "The run, its host and its plan (run log: manifest)"),
        Of(figures, figures.info), 1);
  }
  AddCounts(figures, builder);
  AddControls(figures, builder);
  for (const auto& labels : figures.points) {
    metrics::AddSample(builder.Gauge("plectl_point_info",
                                     "The settings of a point: workload and parameters as read "
                                     "back (run log: workload, params)"),
                       Of(figures, *labels), 1);
  }
  for (const auto& trial : figures.trials) {
    for (const prometheus::MetricFamily& family : *trial) {
      auto& whole = SameFamily(family, builder);
      whole.metric.insert(whole.metric.end(), family.metric.begin(), family.metric.end());
    }
  }
}

}  // namespace plectl::output
