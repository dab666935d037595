// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "host_tools/analysis/summary.h"

namespace plectl::analysis {
namespace {

Reading Value(double value) {
  if (!std::isfinite(value)) return {std::nullopt, "not a finite number"};
  return {value, {}};
}

Reading Missing(std::string because) { return {std::nullopt, std::move(because)}; }

Reading OfCount(const Count& count) {
  return count.has_value() ? Value(static_cast<double>(count.value()))
                           : Missing(count.missing_because());
}

Reading ExitsPerAcquisition(const TrialSample& sample) {
  if (sample.acquisitions == 0) return Missing("the payload takes no lock");
  if (!sample.pause_exits.has_value()) return OfCount(sample.pause_exits);
  return Value(static_cast<double>(sample.pause_exits.value()) /
               static_cast<double>(sample.acquisitions));
}

// Also of records from before it was measured.
constexpr const char* kNoWaits = "the payload waits for nothing, or the record is an old one";

Reading Fairness(const TrialSample& sample) {
  return sample.fairness_jain ? Value(*sample.fairness_jain) : Missing(kNoWaits);
}

Reading WaitP99(const TrialSample& sample) {
  if (!sample.wait_p99_tsc_cycles) return Missing(kNoWaits);
  return Value(static_cast<double>(*sample.wait_p99_tsc_cycles));
}

// Of `share` of a sample with contention.
Reading Share(const std::optional<double>& share) {
  return share ? Value(*share) : Missing("the payload needs none, or the record is an old one");
}

// Without PAUSE exits the longest loops were cut by timer ticks: their length says nothing about
// the window.
Reading EffectiveWindow(const TrialSample& sample) {
  if (!sample.storm) return Missing("only pause_storm measures it");
  if (!sample.pause_exits.has_value()) return OfCount(sample.pause_exits);
  if (sample.pause_exits.value() == 0 || sample.storm->full_runs == 0) {
    return Missing("no PAUSE exit cut a loop");
  }
  return Value(static_cast<double>(sample.storm->full_runs_tsc_cycles) /
               static_cast<double>(sample.storm->full_runs));
}

Reading PauseInterval(const TrialSample& sample) {
  if (!sample.storm || sample.storm->vcpus == 0) return Missing("only pause_storm measures it");
  return Value(static_cast<double>(sample.storm->interval_tsc_cycles) /
               static_cast<double>(sample.storm->vcpus));
}

}  // namespace

PerQuantity<Reading> ReadingsOf(const TrialSample& sample) {
  PerQuantity<Reading> readings;
  readings[Quantity::kThroughput] = Value(sample.throughput_per_s);
  readings[Quantity::kPauseExits] = OfCount(sample.pause_exits);
  readings[Quantity::kExitsPerAcquisition] = ExitsPerAcquisition(sample);
  readings[Quantity::kWindowUpdates] = OfCount(sample.window_updates);
  readings[Quantity::kFairness] = Fairness(sample);
  readings[Quantity::kWaitP99] = WaitP99(sample);
  readings[Quantity::kContended] = Share(sample.contended_share);
  readings[Quantity::kOverlap] = Share(sample.overlap_share);
  readings[Quantity::kEffectiveWindow] = EffectiveWindow(sample);
  readings[Quantity::kPauseInterval] = PauseInterval(sample);
  return readings;
}

}  // namespace plectl::analysis
