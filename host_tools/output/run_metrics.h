// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host_tools/experiment/run_log.h"
#include "host_tools/metrics/metrics_builder.h"

namespace plectl::output {

// How often a control came out how, over the sessions of a run.
struct ControlTally {
  size_t passed = 0;
  size_t failed = 0;
  size_t not_run = 0;
  std::optional<bool> last_passed;  // of those that were run
};

// What is known of a run, as metrics (docs/metrics.md). A copy shares what it knows of each trial,
// so that a sweep can hand one out after every record.
struct RunFigures {
  using Families = std::vector<prometheus::MetricFamily>;

  std::string run;  // the plan's name
  metrics::Labels info;
  std::vector<std::shared_ptr<const Families>> trials;
  std::vector<std::shared_ptr<const metrics::Labels>> points;
  std::map<std::string, ControlTally> controls;
  size_t valid = 0;               // trials with a valid record
  size_t invalid = 0;             // trials that have records, but no valid one
  size_t left_out = 0;            // trials that have no series of their own
  std::optional<size_t> planned;  // how many trials the plan has
};

// Makes a run's figures from its records, in the order of the log. Of the records of one trial the
// first valid one counts; as long as there is none, only that there is none. At most `trials_max`
// trials get series of their own, the first ones.
class RunCollector {
 public:
  RunCollector(std::string run, size_t trials_max) : trials_max_(trials_max) {
    figures_.run = std::move(run);
  }

  void Add(const experiment::Manifest& manifest);
  void Add(const experiment::ControlRecord& control);
  void Add(const experiment::TrialRecord& trial);
  void SetPlanned(size_t trials) { figures_.planned = trials; }

  [[nodiscard]] const RunFigures& figures() const { return figures_; }

 private:
  struct Seen {
    bool valid = false;
    uint32_t records = 0;
    std::optional<size_t> place;  // in figures_.trials
  };
  void AddPoint(const experiment::TrialRecord& trial, const std::string& point);

  size_t trials_max_;
  RunFigures figures_;
  std::map<std::string, Seen> seen_;
  std::set<std::string> points_;
};

// The plan's name in the log's first manifest.
std::string RunName(const experiment::RunLog& log);

// A whole log.
RunFigures FiguresOf(const experiment::RunLog& log, size_t trials_max);

// Adds the run's families to `builder`.
void AddFamilies(const RunFigures& figures, metrics::MetricsBuilder& builder);

}  // namespace plectl::output
