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

std::string LogOfReplicate(const RemainingWork& work, std::optional<uint64_t> lab_seed) {
  const auto ids = work.finished_ids.find(lab_seed);
  if (ids == work.finished_ids.end() || work.manifests.empty()) return {};
  TrialRecord record;
  record.lab_seed = lab_seed;
  record.workload.payload = "finished";
  record.workload.cpus = {0};
  record.vcpus.resize(1);  // as valid ones have
  std::string log = ToLine(work.manifests.front());
  for (const std::string& id : ids->second) {
    record.id = id;
    log += ToLine(record);
  }
  return log;
}

}  // namespace plectl::experiment
