// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/schedule.h"

#include <fmt/format.h>

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

// Makes the trials of a plan; what is the same for many of them is written down once.
class Scheduler {
 public:
  explicit Scheduler(const Plan& plan) : plan_(plan) {
    for (const host::ParamValues& set : plan.param_sets) {
      params_.push_back(nlohmann::json(set).dump());
    }
    for (const guests::Workload& workload : plan.workloads) {
      workloads_.push_back(ToJson(workload).dump());
    }
  }

  // Every block, from the start of the plan's random numbers.
  void AddReplicate(std::optional<uint64_t> lab_seed) {
    Random random(plan_.seed);
    for (uint32_t block = 0; block < plan_.blocks; ++block) {
      for (const size_t param_set : ShuffledIndices(plan_.param_sets.size(), random)) {
        ScheduledTrial trial;
        trial.lab_seed = lab_seed;
        trial.block = block;
        trial.param_set = param_set;
        AddParamSet(std::move(trial), random);
      }
    }
  }

  std::vector<ScheduledTrial> Take() { return std::move(schedule_); }

 private:
  // Of the content as JSON with sorted keys. Only with a lab seed does it name one: the ids of
  // plans without lab_seeds stay what they always were.
  [[nodiscard]] std::string IdOf(const ScheduledTrial& trial) const {
    const std::string seed =
        trial.lab_seed ? fmt::format("\"lab_seed\":{},", *trial.lab_seed) : std::string();
    return Sha256Hex(fmt::format(R"({{"arm":"{}","block":{},{}"params":{},"workload":{}}})",
                                 ArmName(trial.arm), trial.block, seed, params_[trial.param_set],
                                 workloads_[trial.workload]))
        .substr(0, kIdDigits);
  }

  // Every workload with every arm under the parameter set of `trial`, in random order.
  void AddParamSet(ScheduledTrial trial, Random& random) {
    for (const size_t cell : ShuffledIndices(plan_.workloads.size() * plan_.arms.size(), random)) {
      trial.workload = cell / plan_.arms.size();
      trial.arm = plan_.arms[cell % plan_.arms.size()];
      trial.id = IdOf(trial);
      schedule_.push_back(trial);
    }
  }

  const Plan& plan_;
  std::vector<std::string> params_;
  std::vector<std::string> workloads_;
  std::vector<ScheduledTrial> schedule_;
};

void CheckIdsDiffer(const std::vector<ScheduledTrial>& schedule) {
  std::set<std::string_view> ids;
  for (const ScheduledTrial& trial : schedule) ids.insert(trial.id);
  if (ids.size() == schedule.size()) return;
  fmt::print(stderr, "plectl: bug: two trials of a plan have the same id\n");
  std::abort();
}

}  // namespace

std::vector<ScheduledTrial> MakeSchedule(const Plan& plan) {
  Scheduler scheduler(plan);
  if (plan.lab_seeds.empty()) scheduler.AddReplicate(std::nullopt);
  for (const uint64_t lab_seed : plan.lab_seeds) scheduler.AddReplicate(lab_seed);
  std::vector<ScheduledTrial> schedule = scheduler.Take();
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
