// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/point.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/experiment/schedule.h"

namespace plectl::experiment {

// What the trials of a run cost, so far as a forecast needs it.
class PastCosts {
 public:
  void Add(const TrialRecord& trial);
  void AddManifest(const Manifest& manifest);

  [[nodiscard]] size_t trials() const { return trials_ns_.size(); }
  [[nodiscard]] bool has_reloads() const { return !reloads_ns_.empty(); }
  [[nodiscard]] bool from_lab() const { return from_lab_; }
  // Medians; `otherwise` where nothing is known.
  [[nodiscard]] int64_t ReloadNs(int64_t otherwise) const;
  [[nodiscard]] int64_t TrialNs(int64_t otherwise) const;
  [[nodiscard]] int64_t TrialNs(const guests::Workload& workload, int64_t otherwise) const;

 private:
  std::vector<int64_t> reloads_ns_;
  std::vector<int64_t> trials_ns_;
  std::unordered_map<guests::Workload, std::vector<int64_t>, WorkloadHash> by_workload_ns_;
  bool from_lab_ = false;
};

// How long trials will take, and what that is based on.
struct TimeEstimate {
  double total_s = 0;
  std::string basis;  // part of a sentence
};

// With past trials: the median cost of their reloads and, per workload, of their trials. Without:
// fixed guesses, and `basis` says so.
TimeEstimate EstimateTime(const Plan& plan, const std::vector<ScheduledTrial>& trials,
                          const PastCosts& costs);

}  // namespace plectl::experiment
