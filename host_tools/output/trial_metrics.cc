// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/trial_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host_tools/base/sha256.h"
#include "host_tools/output/trial_sample.h"

namespace plectl::output {
namespace {

using experiment::TrialRecord;
using metrics::Labels;
using metrics::MetricsBuilder;

struct CountFigure {
  const char* figure;  // plectl_trial_FIGURE
  const char* help;
  Count TrialRecord::*member;
};
constexpr CountFigure kCountFigures[] = {
    {"pause_exits", "PAUSE exits of the trial's guest (run log: pause_exits, the primary observer)",
     &TrialRecord::pause_exits},
    {"kvm_exits", "All VM exits (run log: kvm_exits_total, KVM's own statistic)",
     &TrialRecord::kvm_exits_total},
    {"window_updates", "Changes of a vCPU's ple_window (run log: window_updates)",
     &TrialRecord::window_updates},
};

struct WindowChange {
  const char* direction;
  Count TrialRecord::*member;
};
constexpr WindowChange kWindowChanges[] = {{"grow", &TrialRecord::window_growths},
                                           {"shrink", &TrialRecord::window_shrinks}};

struct TimingFigure {
  const char* figure;
  const char* help;
  int64_t experiment::TrialTimings::*member;
};
constexpr TimingFigure kTimingFigures[] = {
    {"reload_seconds",
     "Time to change the module's parameters, about 0 when none changed (run log: "
     "timings.params_ns; in the lab emulated time)",
     &experiment::TrialTimings::params_ns},
    {"run_seconds",
     "Time from the start barrier to the last vCPU's end (run log: timings.run_ns; in the lab "
     "emulated time)",
     &experiment::TrialTimings::run_ns},
};

Labels With(Labels labels, std::string name, std::string value) {
  labels.push_back({std::move(name), std::move(value)});
  return labels;
}

// The families of one trial.
class TrialWriter {
 public:
  TrialWriter(std::string_view run, const TrialRecord& trial) : trial_(trial) {
    labels_ = {{"run", std::string(run)},
               {"trial", trial.id},
               {"block", std::to_string(trial.block)},
               {"arm", std::string(experiment::ArmName(trial.arm))},
               {"point", PointName(trial)}};
    if (trial.lab_seed) labels_.push_back({"lab_seed", std::to_string(*trial.lab_seed)});
  }

  void WriteState(uint32_t records) {
    Add("valid", "1 when the trial has a valid record (run log: valid)", trial_.valid() ? 1 : 0);
    Add("records", "Records of the trial, repeats and invalid tries included (run log)", records);
  }

  void WriteFigures() {
    Add("disturbed", "1 when the host disturbed the trial (run log: disturbed_because)",
        trial_.disturbed_because.empty() ? 0 : 1);
    Add("not_contended",
        "1 when the payload needs contention and had none (run log: not_contended_because)",
        trial_.not_contended_because.empty() ? 0 : 1);
    for (const CountFigure& figure : kCountFigures) AddCount(figure);
    WriteExits();
    WriteWindowChanges();
    WriteRates();
    WriteTimes();
  }

  std::vector<prometheus::MetricFamily> Take() { return builder_.Take(); }

 private:
  void Add(std::string_view figure, std::string help, double value) {
    metrics::AddSample(builder_.Gauge(fmt::format("plectl_trial_{}", figure), std::move(help)),
                       labels_, value);
  }

  void AddMissing(std::string_view figure) {
    metrics::AddSample(
        builder_.Gauge("plectl_trial_missing",
                       "1 for each figure that the trial has not; the run log says why"),
        With(labels_, "figure", std::string(figure)), 1);
  }

  void AddCount(const CountFigure& figure) {
    const Count& count = trial_.*figure.member;
    if (!count.has_value()) return AddMissing(figure.figure);
    Add(figure.figure, figure.help, static_cast<double>(count.value()));
  }

  void WriteExits() {
    if (!trial_.exits_missing_because.empty()) return AddMissing("exits");
    auto& family = builder_.Gauge("plectl_trial_exits",
                                  "VM exits by the kernel's name of the reason (run log: exits)");
    for (const auto& [reason, exits] : trial_.exits) {
      metrics::AddSample(family, With(labels_, "reason", reason), static_cast<double>(exits));
    }
  }

  void WriteWindowChanges() {
    auto& family =
        builder_.Gauge("plectl_trial_window_changes",
                       "Changes of a vCPU's ple_window (run log: window_growths, window_shrinks)");
    bool missing = false;
    for (const WindowChange& change : kWindowChanges) {
      const Count& count = trial_.*change.member;
      missing = missing || !count.has_value();
      if (!count.has_value()) continue;
      metrics::AddSample(family, With(labels_, "direction", change.direction),
                         static_cast<double>(count.value()));
    }
    if (missing) AddMissing("window_changes");
  }

  void WriteRates() {
    if (std::isfinite(trial_.throughput_per_s) && trial_.elapsed_tsc_cycles > 0) {
      Add("throughput_rounds_per_second",
          "Rounds, or of payloads without them relax instructions, per second of the guest's TSC "
          "(run log: throughput_per_s)",
          trial_.throughput_per_s);
    } else {
      AddMissing("throughput_rounds_per_second");
    }
    if (!trial_.fairness_jain) return AddMissing("fairness_jain");
    Add("fairness_jain", "Jain's index of the vCPUs' rates, 1/vCPUs to 1 (run log: fairness_jain)",
        *trial_.fairness_jain);
  }

  void WriteTimes() {
    for (const TimingFigure& figure : kTimingFigures) {
      Add(figure.figure, figure.help, static_cast<double>(trial_.timings.*figure.member) / 1e9);
    }
    if (trial_.tsc_khz == 0) {
      AddMissing("elapsed_seconds");
      return AddMissing("wait_seconds");
    }
    Add("elapsed_seconds",
        "First vCPU's start to last one's end by the guest's TSC (run log: elapsed_tsc_cycles)",
        Seconds(trial_.elapsed_tsc_cycles));
    if (!trial_.waits) return AddMissing("wait_seconds");
    WriteWaits(*trial_.waits);
  }

  void WriteWaits(const guests::WaitSummary& waits) {
    uint64_t acquisitions = 0;
    double sum_tsc_cycles = 0;
    for (const guests::VcpuResult& vcpu : trial_.vcpus) {
      acquisitions += vcpu.acquisitions;
      sum_tsc_cycles += static_cast<double>(vcpu.wait_tsc_cycles_total);
    }
    metrics::AddSummary(
        builder_.Summary("plectl_trial_wait_seconds",
                         "Waits of all vCPUs by the guest's TSC; quantile 1 is the longest (run "
                         "log: wait_tsc_cycles)"),
        labels_,
        {{0.5, Seconds(waits.p50)},
         {0.99, Seconds(waits.p99)},
         {0.999, Seconds(waits.p99_9)},
         {1, Seconds(waits.max)}},
        acquisitions, sum_tsc_cycles / TscHz());
  }

  [[nodiscard]] double TscHz() const { return static_cast<double>(trial_.tsc_khz) * 1e3; }
  [[nodiscard]] double Seconds(uint64_t tsc_cycles) const {
    return static_cast<double>(tsc_cycles) / TscHz();
  }

  const TrialRecord& trial_;
  Labels labels_;
  MetricsBuilder builder_;
};

}  // namespace

std::string PointName(const TrialRecord& trial) {
  constexpr size_t kDigits = 12;
  std::string text;
  for (const analysis::Setting& setting : ToSample(trial).settings) {
    text += fmt::format("{}={}\n", setting.name, setting.value);
  }
  return Sha256Hex(text).substr(0, kDigits);
}

Labels PointLabels(const TrialRecord& trial) {
  Labels labels;
  for (const analysis::Setting& setting : ToSample(trial).settings) {
    const bool taken =
        setting.name == "run" || setting.name == "point" ||
        std::ranges::find(labels, setting.name, &metrics::Label::name) != labels.end();
    if (metrics::IsLabelName(setting.name) && !taken) {
      labels.push_back({setting.name, setting.value});
    }
  }
  return labels;
}

std::vector<prometheus::MetricFamily> TrialMetrics(std::string_view run, const TrialRecord& trial,
                                                   uint32_t records) {
  TrialWriter writer(run, trial);
  writer.WriteState(records);
  if (trial.valid()) writer.WriteFigures();
  return writer.Take();
}

}  // namespace plectl::output
