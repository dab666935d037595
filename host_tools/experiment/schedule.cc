// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/schedule.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include "host_tools/base/sha256.h"
#include "host_tools/experiment/workload_json.h"

namespace plectl::experiment {
namespace {

constexpr size_t kIdDigits = 16;  // 64 bits: no collision to expect among 100,000 trials

// The standard fixes the numbers of mt19937_64, but neither those of its distributions nor the
// steps of std::shuffle: both are written out here, so that a seed means the same everywhere.
using Random = std::mt19937_64;

// A number below `bound`, each equally likely: draws that would favour the low ones are redone.
uint64_t DrawBelow(Random& random, uint64_t bound) {
  const uint64_t favoured = (UINT64_MAX % bound + 1) % bound;
  uint64_t draw = random();
  while (draw > UINT64_MAX - favoured) draw = random();
  return draw % bound;
}

// Fisher and Yates' shuffle.
template <class T>
void Shuffle(std::vector<T>& items, Random& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[DrawBelow(random, i)]);
}

std::vector<size_t> ShuffledIndices(size_t count, Random& random) {
  std::vector<size_t> indices(count);
  std::iota(indices.begin(), indices.end(), size_t{0});
  Shuffle(indices, random);
  return indices;
}

std::string IdOf(const Plan& plan, const ScheduledTrial& trial) {
  nlohmann::json content = {{"block", trial.block},
                            {"params", plan.param_sets[trial.param_set]},
                            {"workload", ToJson(plan.workloads[trial.workload])},
                            {"arm", ArmName(trial.arm)}};
  // Only then: the ids of plans without lab_seeds stay what they always were.
  if (trial.lab_seed) content["lab_seed"] = *trial.lab_seed;
  return Sha256Hex(content.dump()).substr(0, kIdDigits);
}

// Every workload with every arm under the parameter set of `trial`, in random order.
void AddParamSet(const Plan& plan, ScheduledTrial trial, Random& random,
                 std::vector<ScheduledTrial>& schedule) {
  for (const size_t cell : ShuffledIndices(plan.workloads.size() * plan.arms.size(), random)) {
    trial.workload = cell / plan.arms.size();
    trial.arm = plan.arms[cell % plan.arms.size()];
    trial.id = IdOf(plan, trial);
    schedule.push_back(trial);
  }
}

// Every block, from the start of the plan's random numbers.
void AddReplicate(const Plan& plan, std::optional<uint64_t> lab_seed,
                  std::vector<ScheduledTrial>& schedule) {
  Random random(plan.seed);
  for (uint32_t block = 0; block < plan.blocks; ++block) {
    for (const size_t param_set : ShuffledIndices(plan.param_sets.size(), random)) {
      ScheduledTrial trial;
      trial.lab_seed = lab_seed;
      trial.block = block;
      trial.param_set = param_set;
      AddParamSet(plan, std::move(trial), random, schedule);
    }
  }
}

void CheckIdsDiffer(const std::vector<ScheduledTrial>& schedule) {
  std::set<std::string_view> ids;
  for (const ScheduledTrial& trial : schedule) ids.insert(trial.id);
  if (ids.size() == schedule.size()) return;
  fmt::print(stderr, "plectl: bug: two trials of a plan have the same id\n");
  std::abort();
}

}  // namespace

std::vector<ScheduledTrial> MakeSchedule(const Plan& plan) {
  std::vector<ScheduledTrial> schedule;
  if (plan.lab_seeds.empty()) AddReplicate(plan, std::nullopt, schedule);
  for (const uint64_t lab_seed : plan.lab_seeds) AddReplicate(plan, lab_seed, schedule);
  CheckIdsDiffer(schedule);
  return schedule;
}

size_t CountParamChanges(const std::vector<ScheduledTrial>& schedule) {
  size_t changes = 0;
  for (size_t i = 0; i < schedule.size(); ++i) {
    const bool new_lab = i == 0 || schedule[i].lab_seed != schedule[i - 1].lab_seed;
    if (new_lab || schedule[i].param_set != schedule[i - 1].param_set) ++changes;
  }
  return changes;
}

}  // namespace plectl::experiment
