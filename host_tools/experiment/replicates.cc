// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/replicates.h"

namespace plectl::experiment {

std::vector<std::optional<uint64_t>> LabSeedsOf(const std::vector<ScheduledTrial>& trials) {
  std::vector<std::optional<uint64_t>> seeds;
  for (const ScheduledTrial& trial : trials) {
    // The schedule does one seed after the other.
    if (seeds.empty() || seeds.back() != trial.lab_seed) seeds.push_back(trial.lab_seed);
  }
  return seeds;
}

std::string LogOfReplicate(const RunLog& log, uint64_t lab_seed) {
  std::string records;
  for (const TrialRecord& trial : log.trials) {
    if (trial.valid() && trial.lab_seed == lab_seed) records += ToLine(trial);
  }
  return records.empty() ? records : ToLine(log.manifests.front()) + records;
}

}  // namespace plectl::experiment
