// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/sweep_figures.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "host_tools/cli/export_metrics.h"
#include "host_tools/experiment/schedule.h"
#include "host_tools/experiment/time_estimate.h"
#include "host_tools/metrics/metrics_builder.h"

namespace plectl::cli {
namespace {

using metrics::Labels;
using metrics::MetricsBuilder;

constexpr double kNsPerS = 1e9;

double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Adds the gauges of one sweep.
class SweepWriter {
 public:
  SweepWriter(const SweepState& state, MetricsBuilder& builder)
      : state_(state), builder_(builder), labels_{{"run", state.run.run}} {}

  void Write() {
    WriteProgress();
    WriteRecords();
    auto& reloads =
        builder_.Counter("plectl_sweep_reloads_total",
                         "Reloads of the KVM module for trials (run log: timings.reloads)");
    metrics::AddSample(reloads, labels_, static_cast<double>(state_.reloads.count));
    metrics::AddHistogram(
        builder_.Histogram("plectl_sweep_reload_seconds",
                           "Time of the reloads (run log: params_ns; in the lab emulated time)"),
        labels_, ReloadTimes::kBoundsS, state_.reloads.counts, state_.reloads.sum_s);
  }

 private:
  void Gauge(const char* name, const char* help, double value) {
    metrics::AddSample(builder_.Gauge(name, help), labels_, value);
  }

  Labels With(const char* name, const char* value) const {
    Labels labels = labels_;
    labels.push_back({name, value});
    return labels;
  }

  void WriteProgress() {
    const auto finished = static_cast<double>(state_.finished);
    const auto total = static_cast<double>(state_.total);
    Gauge("plectl_sweep_running", "1 while the sweep runs (plectl)", state_.running ? 1 : 0);
    Gauge("plectl_sweep_start_timestamp_seconds", "When this session began (plectl)",
          state_.started_unix_s);
    Gauge("plectl_sweep_progress_ratio", "Trials with a valid record, of all (plectl)",
          total > 0 ? finished / total : 1);
    auto& trials = builder_.Gauge("plectl_sweep_trials",
                                  "Trials with a valid record, and those still to do (plectl)");
    metrics::AddSample(trials, With("state", "finished"), finished);
    metrics::AddSample(trials, With("state", "remaining"), total - finished);
    if (state_.eta_s) {
      Gauge("plectl_sweep_eta_seconds",
            "Time to the end, by the mean of this session's trials (plectl)", *state_.eta_s);
    }
    if (state_.last_record_unix_s) {
      Gauge("plectl_sweep_last_record_timestamp_seconds", "When the last trial ended (plectl)",
            *state_.last_record_unix_s);
    }
  }

  void WriteRecords() {
    auto& records = builder_.Counter("plectl_sweep_records_total",
                                     "Records of this session; disturbed ones are repeated, as "
                                     "are invalid ones (run log)");
    metrics::AddSample(records, With("result", "valid"), static_cast<double>(state_.valid));
    metrics::AddSample(records, With("result", "invalid"), static_cast<double>(state_.invalid));
    metrics::AddSample(records, With("result", "disturbed"), static_cast<double>(state_.disturbed));
  }

  const SweepState& state_;
  MetricsBuilder& builder_;
  Labels labels_;
};

}  // namespace

void ReloadTimes::Add(double seconds) {
  const auto bound = std::ranges::lower_bound(kBoundsS, seconds);
  ++counts.at(static_cast<size_t>(bound - kBoundsS.begin()));
  ++count;
  sum_s += seconds;
}

SweepTally::SweepTally(const experiment::Plan& plan, const experiment::RemainingWork& work)
    : collector_(plan.name, kTrialsWithSeriesMax) {
  state_.started_unix_s = UnixSeconds();
  collector_.SetPlanned(work.finished + work.trials.size());
  if (!work.totals) return;
  const experiment::RunLog& log = *work.totals;
  for (const experiment::Manifest& manifest : log.manifests) collector_.Add(manifest);
  for (const experiment::ControlRecord& control : log.controls) collector_.Add(control);
  for (const experiment::TrialRecord& trial : log.trials) collector_.Add(trial);
}

void SweepTally::Start(size_t finished, size_t total) {
  resumed_at_ = state_.finished = finished;
  state_.total = total;
  since_start_.Restart();
}

void SweepTally::Add(const experiment::Manifest& manifest) {
  collector_.Add(manifest);
  if (!measures_) since_start_.Restart();
  measures_ = true;
}

void SweepTally::Add(const experiment::TrialRecord& record) {
  collector_.Add(record);
  state_.last_record_unix_s = UnixSeconds();
  if (record.timings.reloaded()) {
    state_.reloads.Add(static_cast<double>(record.timings.params_ns) / kNsPerS);
  }
  if (!record.valid()) {
    ++(record.repeated_as_disturbed() ? state_.disturbed : state_.invalid);
    return;
  }
  ++state_.valid;
  ++state_.finished;
  const auto done = static_cast<double>(state_.finished - resumed_at_);
  const double elapsed_s = static_cast<double>(since_start_.ElapsedNs()) / kNsPerS;
  state_.eta_s = elapsed_s / done * static_cast<double>(state_.total - state_.finished);
}

std::shared_ptr<const SweepState> SweepTally::State() const {
  auto state = std::make_shared<SweepState>(state_);
  state->run = collector_.figures();
  return state;
}

std::vector<prometheus::MetricFamily> FamiliesOf(const SweepState& state) {
  MetricsBuilder builder;
  SweepWriter(state, builder).Write();
  output::AddFamilies(state.run, builder);
  return builder.Take();
}

void SweepFigures::Publish(std::shared_ptr<const SweepState> state) {
  const std::lock_guard lock(mutex_);
  state_.swap(state);
}

std::vector<prometheus::MetricFamily> SweepFigures::Collect() const {
  std::shared_ptr<const SweepState> state;
  {
    const std::lock_guard lock(mutex_);
    state = state_;
  }
  if (!state) return {};
  std::vector<prometheus::MetricFamily> families = FamiliesOf(*state);
  if (!state->running) ++scrapes_of_end_;
  return families;
}

}  // namespace plectl::cli
