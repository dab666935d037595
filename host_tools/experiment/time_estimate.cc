// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/time_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "host_tools/experiment/lab_host.h"

namespace plectl::experiment {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr double kNsPerS = 1e9;
// Guesses for a host about which nothing is known: a module reload waits for RCU and the kvm
// module's own clean-up, a trial of the default 20,000 iterations is mostly guest time.
constexpr int64_t kReloadGuessNs = 500 * kMillisecondNs;
constexpr int64_t kTrialGuessNs = 1000 * kMillisecondNs;

int64_t MedianOr(std::vector<int64_t> values, int64_t otherwise) {
  if (values.empty()) return otherwise;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double SumOfTrialsNs(const Plan& plan, const std::vector<ScheduledTrial>& trials,
                     const PastCosts& costs) {
  const int64_t any_workload_ns = costs.TrialNs(kTrialGuessNs);
  std::vector<int64_t> by_workload_ns;
  for (const guests::Workload& workload : plan.workloads) {
    by_workload_ns.push_back(costs.TrialNs(workload, any_workload_ns));
  }
  double total_ns = 0;
  for (const ScheduledTrial& trial : trials) {
    total_ns += static_cast<double>(by_workload_ns[trial.workload]);
  }
  return total_ns;
}

std::string Basis(const PastCosts& costs) {
  if (costs.trials() == 0) {
    return fmt::format(
        "a guess, since no trial was measured yet: {} ms per reload, {} ms per trial",
        kReloadGuessNs / kMillisecondNs, kTrialGuessNs / kMillisecondNs);
  }
  return fmt::format("medians of the {} trials that the directory holds{}{}", costs.trials(),
                     costs.has_reloads() ? "" : ", reloads guessed since none was seen",
                     costs.from_lab() ? "; on the lab's emulated clock, booting not included" : "");
}

}  // namespace

void PastCosts::Add(const TrialRecord& trial) {
  const TrialTimings& timings = trial.timings;
  if (timings.reloaded()) reloads_ns_.push_back(timings.params_ns);
  const int64_t trial_ns = timings.own_ns + timings.run_ns;
  trials_ns_.push_back(trial_ns);
  by_workload_ns_[trial.workload].push_back(trial_ns);
}

void PastCosts::AddManifest(const Manifest& manifest) { from_lab_ = IsLab(manifest.host); }

int64_t PastCosts::ReloadNs(int64_t otherwise) const { return MedianOr(reloads_ns_, otherwise); }

int64_t PastCosts::TrialNs(int64_t otherwise) const { return MedianOr(trials_ns_, otherwise); }

int64_t PastCosts::TrialNs(const guests::Workload& workload, int64_t otherwise) const {
  const auto known = by_workload_ns_.find(workload);
  return known == by_workload_ns_.end() ? otherwise : MedianOr(known->second, otherwise);
}

TimeEstimate EstimateTime(const Plan& plan, const std::vector<ScheduledTrial>& trials,
                          const PastCosts& costs) {
  const double reloads_ns = static_cast<double>(CountParamChanges(trials)) *
                            static_cast<double>(costs.ReloadNs(kReloadGuessNs));
  return {(SumOfTrialsNs(plan, trials, costs) + reloads_ns) / kNsPerS, Basis(costs)};
}

}  // namespace plectl::experiment
