// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/gbench_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "host_tools/output/trial_sample.h"

namespace plectl::output {
namespace {

using analysis::Setting;
using experiment::TrialRecord;

// What a workload has by itself. A name without these stays the same when a later plectl adds one.
struct UsualSetting {
  std::string_view name;
  std::string_view value;
};
constexpr UsualSetting kUsualSettings[] = {
    {"think_tsc_cycles", "0"},
    {"body_loops", "0"},
    {"scheduling", "other"},
    {"interrupts_off", "never"},
    {"vms", "1"},
    {"duration_tsc_cycles", "0"},
    {"hold_distribution", "fixed"},
    {"think_distribution", "fixed"},
    {"random_seed", "1"},
    {"relax_repeat", "1"},
};

bool IsUsual(const Setting& setting) {
  return std::ranges::any_of(kUsualSettings, [&setting](const UsualSetting& usual) {
    return setting.name == usual.name && setting.value == usual.value;
  });
}

struct CounterField {
  const char* name;
  Count TrialRecord::*member;
};
// Beside the quantities of a report.
constexpr CounterField kCounters[] = {
    {"exits_total", &TrialRecord::exits_total},
    {"kvm_exits_total", &TrialRecord::kvm_exits_total},
    {"window_growths", &TrialRecord::window_growths},
    {"window_shrinks", &TrialRecord::window_shrinks},
};

std::map<std::string, double> CountersOf(const TrialRecord& trial,
                                         const analysis::TrialSample& sample) {
  std::map<std::string, double> counters;
  const analysis::PerQuantity<analysis::Reading> readings = analysis::ReadingsOf(sample);
  for (const analysis::Quantity quantity : analysis::kQuantities) {
    const std::optional<double>& value = readings[quantity].value;
    if (value) counters[std::string(analysis::QuantityName(quantity))] = *value;
  }
  for (const CounterField& field : kCounters) {
    const Count& count = trial.*field.member;
    if (count.has_value()) counters[field.name] = static_cast<double>(count.value());
  }
  return counters;
}

std::string LabelOf(const TrialRecord& trial) {
  std::string label = fmt::format("block {}", trial.block);
  if (trial.lab_seed) label += fmt::format(", lab seed {}", *trial.lab_seed);
  if (!trial.disturbed_because.empty()) label += ", disturbed";
  if (!trial.not_contended_because.empty()) label += ", NOT CONTENDED";
  return label;
}

// Nothing when the guest did no work that could be counted.
std::optional<GbenchRepetition> RepetitionOf(const TrialRecord& trial,
                                             const analysis::TrialSample& sample) {
  if (!std::isfinite(trial.throughput_per_s) || trial.throughput_per_s <= 0 || trial.tsc_khz == 0)
    return std::nullopt;
  const double elapsed_ns =
      static_cast<double>(trial.elapsed_tsc_cycles) * 1e6 / static_cast<double>(trial.tsc_khz);
  const double work = std::round(trial.throughput_per_s * elapsed_ns / 1e9);
  if (work < 1 || work > 1e18) return std::nullopt;
  GbenchRepetition repetition;
  repetition.work = static_cast<uint64_t>(work);
  repetition.real_time_ns = elapsed_ns / work;
  double cpu_ns = 0;
  for (const guests::VcpuResult& vcpu : trial.vcpus) {
    cpu_ns += static_cast<double>(vcpu.user_ns) + static_cast<double>(vcpu.system_ns);
  }
  repetition.cpu_time_ns = cpu_ns / work;
  repetition.counters = CountersOf(trial, sample);
  repetition.label = LabelOf(trial);
  return repetition;
}

// The points of all samples, without repetitions, in the order of a report.
std::vector<GbenchPoint> EmptyPoints(std::span<const analysis::TrialSample> samples) {
  std::vector<GbenchPoint> points;
  for (const analysis::Group& group : analysis::Summarize(samples)) {
    points.push_back({GbenchName(group.settings, group.arm), 0, {}});
  }
  return points;
}

}  // namespace

std::string GbenchName(std::span<const Setting> settings, const std::string& arm) {
  std::string name;
  for (const Setting& setting : settings) {
    if (setting.kind == analysis::SettingKind::kWorkload && IsUsual(setting)) continue;
    name += setting.name == "payload" ? fmt::format("{}/", setting.value)
                                      : fmt::format("{}:{}/", setting.name, setting.value);
  }
  return name + arm;
}

GbenchPoints MakeGbenchPoints(const std::vector<TrialRecord>& trials) {
  std::vector<const TrialRecord*> valid;
  std::vector<analysis::TrialSample> samples;
  for (const TrialRecord& trial : trials) {
    if (!trial.valid()) continue;
    valid.push_back(&trial);
    samples.push_back(ToSample(trial));
  }
  GbenchPoints result;
  result.points = EmptyPoints(samples);
  std::map<std::string_view, GbenchPoint*> by_name;
  for (GbenchPoint& point : result.points) by_name[point.name] = &point;
  for (size_t i = 0; i < valid.size(); ++i) {
    auto repetition = RepetitionOf(*valid[i], samples[i]);
    if (!repetition) {
      ++result.trials_without_work;
      continue;
    }
    GbenchPoint& point = *by_name.at(GbenchName(samples[i].settings, samples[i].arm));
    point.vcpus = valid[i]->vcpus.size();
    point.repetitions.push_back(*std::move(repetition));
  }
  std::erase_if(result.points, [](const GbenchPoint& point) { return point.repetitions.empty(); });
  return result;
}

}  // namespace plectl::output
