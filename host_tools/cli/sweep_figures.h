// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/clock.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/output/run_metrics.h"

namespace plectl::cli {

// How long the reloads of a session took.
struct ReloadTimes {
  static constexpr std::array<double, 9> kBoundsS = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
  std::array<uint64_t, kBoundsS.size() + 1> counts{};
  uint64_t count = 0;
  double sum_s = 0;

  void Add(double seconds);
};

// How far a sweep is, at one moment.
struct SweepState {
  output::RunFigures run;
  bool running = true;
  size_t finished = 0;  // trials, those of earlier sessions too
  size_t total = 0;
  size_t valid = 0;  // records of this session
  size_t invalid = 0;
  size_t disturbed = 0;  // that were repeated for it
  ReloadTimes reloads;
  std::optional<double> eta_s;  // not known before the first trial
  double started_unix_s = 0;
  std::optional<double> last_record_unix_s;
};

// Makes the state from what a sweep reports.
class SweepTally {
 public:
  SweepTally(const experiment::Plan& plan, const experiment::RemainingWork& work);

  void Start(size_t finished, size_t total);
  void Add(const experiment::TrialRecord& record);
  void Add(const experiment::Manifest& manifest);
  void Add(const experiment::ControlRecord& control) { collector_.Add(control); }
  void End() { state_.running = false; }

  // Trials that got no series of their own so far.
  [[nodiscard]] size_t left_out() const { return collector_.figures().left_out; }
  [[nodiscard]] std::shared_ptr<const SweepState> State() const;

 private:
  output::RunCollector collector_;
  SweepState state_;
  size_t resumed_at_ = 0;
  Stopwatch since_start_;  // of the trials: the lab's boot and the like are no part of the pace
  bool measures_ = false;
};

std::vector<prometheus::MetricFamily> FamiliesOf(const SweepState& state);

// The last state that was published, for scrapes: these make the families, so that a sweep spends
// no time on them.
class SweepFigures final : public prometheus::Collectable {
 public:
  void Publish(std::shared_ptr<const SweepState> state);
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
  // Scrapes so far that saw that the sweep is over.
  [[nodiscard]] size_t scrapes_of_end() const { return scrapes_of_end_; }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const SweepState> state_;
  mutable std::atomic<size_t> scrapes_of_end_ = 0;
};

}  // namespace plectl::cli
