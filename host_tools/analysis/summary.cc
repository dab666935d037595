// SPDX-License-Identifier: Apache-2.0
#include "host_tools/analysis/summary.h"

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "host_tools/base/text.h"

namespace plectl::analysis {
namespace {

// Numbers before words, numbers by size, words by their letters.
std::strong_ordering CompareValues(const std::string& a, const std::string& b) {
  const std::optional<uint64_t> number_a = ParseUint(a);
  const std::optional<uint64_t> number_b = ParseUint(b);
  if (number_a && number_b && *number_a != *number_b) return *number_a <=> *number_b;
  if (number_a.has_value() != number_b.has_value()) {
    return number_a ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return a <=> b;
}

std::strong_ordering CompareSettings(const Setting& a, const Setting& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  if (a.name != b.name) return a.name <=> b.name;
  return CompareValues(a.value, b.value);
}

struct GroupKey {
  std::vector<Setting> settings;
  std::string arm;
};

// The usual arms first, then what is special.
int RankOf(std::string_view arm) {
  if (arm == "pause") return 0;
  return arm == "nop" ? 1 : 2;
}

struct GroupKeyLess {
  bool operator()(const GroupKey& a, const GroupKey& b) const {
    const std::strong_ordering order = std::lexicographical_compare_three_way(
        a.settings.begin(), a.settings.end(), b.settings.begin(), b.settings.end(),
        CompareSettings);
    if (order != std::strong_ordering::equal) return order == std::strong_ordering::less;
    if (RankOf(a.arm) != RankOf(b.arm)) return RankOf(a.arm) < RankOf(b.arm);
    return a.arm < b.arm;
  }
};

QuantitySummary Summary(Quantity quantity, const std::vector<PerQuantity<Reading>>& readings) {
  std::vector<double> values;
  for (const PerQuantity<Reading>& reading : readings) {
    if (!reading[quantity].value) return {std::nullopt, reading[quantity].missing_because};
    values.push_back(*reading[quantity].value);
  }
  const auto [min, max] = std::ranges::minmax(values);
  return {Spread{Median(std::move(values)), min, max}, {}};
}

Group MakeGroup(const GroupKey& key, const std::vector<const TrialSample*>& samples) {
  Group group;
  group.settings = key.settings;
  group.arm = key.arm;
  group.trials = samples.size();
  std::vector<PerQuantity<Reading>> readings;
  std::set<uint64_t> lab_seeds;
  for (const TrialSample* sample : samples) {
    if (sample->lab_seed) lab_seeds.insert(*sample->lab_seed);
    readings.push_back(ReadingsOf(*sample));
    if (sample->disturbed) ++group.disturbed;
    if (group.ple_off_because.empty()) group.ple_off_because = sample->ple_off_because;
  }
  group.lab_seeds = lab_seeds.size();
  for (const Quantity quantity : kQuantities) {
    group.quantities[quantity] = Summary(quantity, readings);
  }
  return group;
}

}  // namespace

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return below + (*middle - below) / 2;
}

size_t CountLabSeeds(std::span<const TrialSample> samples) {
  std::set<uint64_t> seeds;
  for (const TrialSample& sample : samples) {
    if (sample.lab_seed) seeds.insert(*sample.lab_seed);
  }
  return seeds.size();
}

std::vector<Group> Summarize(std::span<const TrialSample> samples) {
  std::map<GroupKey, std::vector<const TrialSample*>, GroupKeyLess> by_key;
  for (const TrialSample& sample : samples) {
    by_key[{sample.settings, sample.arm}].push_back(&sample);
  }
  std::vector<Group> groups;
  for (const auto& [key, members] : by_key) groups.push_back(MakeGroup(key, members));
  return groups;
}

}  // namespace plectl::analysis
