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

// The usual arms first, then what is special.
int RankOf(std::string_view arm) {
  if (arm == "pause") return 0;
  return arm == "nop" ? 1 : 2;
}

bool IsBefore(const Group& a, const Group& b) {
  const std::strong_ordering order = std::lexicographical_compare_three_way(
      a.settings.begin(), a.settings.end(), b.settings.begin(), b.settings.end(), CompareSettings);
  if (order != std::strong_ordering::equal) return order == std::strong_ordering::less;
  if (RankOf(a.arm) != RankOf(b.arm)) return RankOf(a.arm) < RankOf(b.arm);
  return a.arm < b.arm;
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

size_t Summarizer::GroupOf(const std::vector<Setting>& key, const std::string& arm,
                           const std::vector<Setting>& settings) {
  std::vector<std::string> words;
  for (const Setting& setting : key) words.push_back(setting.name + '=' + setting.value);
  const auto [entry, is_new] = numbers_.try_emplace({std::move(words), arm}, members_.size());
  if (is_new) {
    members_.emplace_back().key = key;
    members_.back().group.settings = settings;
    members_.back().group.arm = arm;
    return entry->second;
  }
  std::vector<Setting>& shown = members_[entry->second].group.settings;
  for (size_t i = 0; i < std::min(shown.size(), settings.size()); ++i) {
    if (shown[i] != settings[i]) shown[i].value = kAnyValue;
  }
  return entry->second;
}

uint32_t Summarizer::NumberOf(const std::string& reason) {
  const auto [entry, is_new] =
      reason_numbers_.try_emplace(reason, static_cast<uint32_t>(reasons_.size()));
  if (is_new) reasons_.push_back(reason);
  return entry->second;
}

void Summarizer::Add(size_t group, const TrialSample& sample) {
  Members& members = members_.at(group);
  ++members.group.trials;
  if (sample.disturbed) ++members.group.disturbed;
  if (sample.not_contended) ++members.group.not_contended;
  if (members.group.ple_off_because.empty()) {
    members.group.ple_off_because = sample.ple_off_because;
  }
  if (sample.lab_seed) {
    members.lab_seeds.insert(*sample.lab_seed);
    lab_seeds_.insert(*sample.lab_seed);
  }
  const PerQuantity<Reading> readings = ReadingsOf(sample);
  PerQuantity<Figure>& figures = members.figures.emplace_back();
  for (const Quantity quantity : kQuantities) {
    const Reading& reading = readings[quantity];
    figures[quantity] =
        reading.value ? Figure{*reading.value, 0} : Figure{0, NumberOf(reading.missing_because)};
  }
}

QuantitySummary Summarizer::SummaryOf(const Members& members, Quantity quantity) const {
  std::vector<double> values;
  for (const PerQuantity<Figure>& figures : members.figures) {
    const Figure& figure = figures[quantity];
    if (figure.reason != 0) return {std::nullopt, reasons_[figure.reason]};
    values.push_back(figure.value);
  }
  if (values.empty()) return {std::nullopt, "no trial"};
  const auto [min, max] = std::ranges::minmax(values);
  return {Spread{Median(std::move(values)), min, max}, {}};
}

std::vector<Group> Summarizer::Groups() const {
  std::vector<Group> groups;
  for (const Members& members : members_) {
    Group& group = groups.emplace_back(members.group);
    group.lab_seeds = members.lab_seeds.size();
    for (const Quantity quantity : kQuantities) {
      group.quantities[quantity] = SummaryOf(members, quantity);
    }
  }
  std::ranges::sort(groups, IsBefore);
  return groups;
}

std::vector<Group> Summarize(std::span<const TrialSample> samples) {
  Summarizer summarizer;
  for (const TrialSample& sample : samples) {
    summarizer.Add(summarizer.GroupOf(sample.settings, sample.arm, sample.settings), sample);
  }
  return summarizer.Groups();
}

}  // namespace plectl::analysis
