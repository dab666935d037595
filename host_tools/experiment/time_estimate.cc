// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/time_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "host_tools/experiment/lab_host.h"
#include "host_tools/experiment/workload_json.h"

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

// What the trials of a log cost.
struct PastCosts {
  std::vector<int64_t> reloads_ns;
  std::vector<int64_t> trials_ns;
  std::map<std::string, std::vector<int64_t>> trials_ns_by_workload;
};

PastCosts CostsOf(const RunLog& log) {
  PastCosts costs;
  for (const TrialRecord& trial : log.trials) {
    const TrialTimings& timings = trial.timings;
    if (timings.reloaded()) costs.reloads_ns.push_back(timings.params_ns);
    const int64_t trial_ns = timings.own_ns + timings.run_ns;
    costs.trials_ns.push_back(trial_ns);
    costs.trials_ns_by_workload[ToJson(trial.workload).dump()].push_back(trial_ns);
  }
  return costs;
}

double SumOfTrialsNs(const Plan& plan, const std::vector<ScheduledTrial>& trials,
                     const PastCosts& costs) {
  const int64_t any_workload_ns = MedianOr(costs.trials_ns, kTrialGuessNs);
  std::vector<int64_t> by_workload_ns;
  for (const guests::Workload& workload : plan.workloads) {
    const auto known = costs.trials_ns_by_workload.find(ToJson(workload).dump());
    by_workload_ns.push_back(known == costs.trials_ns_by_workload.end()
                                 ? any_workload_ns
                                 : MedianOr(known->second, any_workload_ns));
  }
  double total_ns = 0;
  for (const ScheduledTrial& trial : trials) {
    total_ns += static_cast<double>(by_workload_ns[trial.workload]);
  }
  return total_ns;
}

bool IsFromLab(const RunLog& log) {
  return !log.manifests.empty() && IsLab(log.manifests.front().host);
}

std::string Basis(const RunLog& log, const PastCosts& costs) {
  if (costs.trials_ns.empty()) {
    return fmt::format(
        "a guess, since the directory holds no trial yet: {} ms per reload, {} ms per trial",
        kReloadGuessNs / kMillisecondNs, kTrialGuessNs / kMillisecondNs);
  }
  return fmt::format("medians of the {} trials that the directory holds{}{}",
                     costs.trials_ns.size(),
                     costs.reloads_ns.empty() ? ", reloads guessed since none was seen" : "",
                     IsFromLab(log) ? "; on the lab's emulated clock, booting not included" : "");
}

}  // namespace

TimeEstimate EstimateTime(const Plan& plan, const std::vector<ScheduledTrial>& trials,
                          const RunLog& log) {
  const PastCosts costs = CostsOf(log);
  const double reloads_ns = static_cast<double>(CountParamChanges(trials)) *
                            static_cast<double>(MedianOr(costs.reloads_ns, kReloadGuessNs));
  return {(SumOfTrialsNs(plan, trials, costs) + reloads_ns) / kNsPerS, Basis(log, costs)};
}

}  // namespace plectl::experiment
