// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/experiment/controls.h"
#include "host_tools/experiment/executor.h"
#include "host_tools/guests/code_places.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/host/noise_watch.h"
#include "host_tools/host/observers.h"
#include "host_tools/host/param_session.h"
#include "host_tools/host/perf_control.h"

namespace plectl::experiment {

// The parts that a KvmExecutor works with; all of them exist before the first trial.
struct KvmExecutorParts {
  HostRoot root;
  host::KvmModule module = host::KvmModule::kIntel;
  host::ParamSession params;
  host::ObserverPair observers;  // the primary's counts are the record's; the check must agree
  std::unique_ptr<guests::GuestRunner> runner;
  std::unique_ptr<guests::GuestRunner> control_runner;  // of the built-in guest
  guests::CodePlaces places;                            // of the payload that it runs
  uint64_t relax_tsc_cycles = 0;  // of every guest: guests::GuestRequest::relax_tsc_cycles
  std::optional<host::PerfControl> perf = std::nullopt;  // records the measured parts, and no more
};

// Trials on a host with KVM, be it bare metal or the lab.
class KvmExecutor : public Executor {
 public:
  explicit KvmExecutor(KvmExecutorParts parts);

  [[nodiscard]] nlohmann::json Host() const override { return host_; }
  [[nodiscard]] std::vector<std::string> Observers() const override;
  [[nodiscard]] nlohmann::json ObserverCost() const override;
  Calibration Calibrate(const Plan& plan) override;
  Result<std::vector<ControlRecord>> RunControls(const Plan& plan) override;
  Result<TrialRecord> Run(const Plan& plan, const ScheduledTrial& trial, uint32_t attempt) override;
  [[nodiscard]] int reloads() const override { return parts_.params.reloads(); }
  Status Finish() override { return parts_.params.Restore(); }

 private:
  enum class TrialRole { kMeasured, kControl };
  // One control under the parameters of `trial`, which are in place.
  Result<ControlRecord> RunControl(const Plan& plan, const Control& control, TrialRecord trial);
  // Applies the trial's parameters and fills in what was read back.
  Status ApplyParams(const host::ParamValues& wanted, TrialRecord& record);
  // Runs the guest and fills in its results and counts.
  Status RunGuest(const Plan& plan, TrialRole role, TrialRecord& record);
  // Notes in `record` when its gap is below what a turn of its loop takes.
  void RecordGapTooSmall(TrialRecord& record) const;
  // The second observer, attached, when it is to watch this trial; else null, and it is detached.
  Result<host::ExitCounter*> CheckObserverFor(TrialRole role);
  // Notes in `record` when the module's parameters changed while the guest ran.
  Status CheckParamsUnchanged(TrialRecord& record) const;

  KvmExecutorParts parts_;
  nlohmann::json host_;
  host::NoiseWatch noise_;
  Calibration calibration_{.missing_because = "not calibrated"};
};

}  // namespace plectl::experiment
