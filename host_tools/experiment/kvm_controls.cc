// SPDX-License-Identifier: Apache-2.0
// What a session does besides its trials: the calibration and the controls.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host_tools/experiment/controls.h"
#include "host_tools/experiment/counting_observer.h"
#include "host_tools/experiment/kvm_executor.h"

namespace plectl::experiment {
namespace {

// Of those that the plan measures on.
int FirstCpu(const Plan& plan) { return plan.workloads.front().cpus.front(); }

// Alone on that CPU.
guests::Workload LoopWorkload(const Plan& plan, uint64_t turns) {
  guests::Workload workload;
  workload.payload = "pause_loop";
  workload.vcpus = 1;
  workload.cpus = {FirstCpu(plan)};
  workload.iterations = turns;
  return workload;
}

bool ChangesParams(const Plan& plan) {
  return std::ranges::any_of(plan.param_sets, [](const auto& set) { return !set.empty(); });
}

std::vector<ControlRecord> NoControls(const std::string& because) {
  std::vector<ControlRecord> records;
  for (const std::string_view name : kControlNames) {
    ControlRecord record;
    record.name = name;
    record.missing_because = because;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

Calibration KvmExecutor::Calibrate(const Plan& plan) {
  const guests::GuestRequest request =
      CalibrationRequest(FirstCpu(plan), 0, parts_.relax_tsc_cycles);
  CountingObserver nobody(nullptr);
  const Result<guests::GuestResult> result = parts_.control_runner->Run(request, nobody);
  Result<Calibration> calibration =
      result ? CalibrationOf(*result) : Result<Calibration>(Fail(result.error()));
  calibration_ =
      calibration ? *calibration : Calibration{.missing_because = calibration.error().Text()};
  return calibration_;
}

Result<std::vector<ControlRecord>> KvmExecutor::RunControls(const Plan& plan) {
  if (!parts_.observers.counts_pause_exits()) {
    return NoControls("no observer counts the PAUSE exits");
  }
  if (!calibration_.missing_because.empty()) {
    return NoControls("the calibration failed: " + calibration_.missing_because);
  }
  const double interval = calibration_.pause_loop_tsc_cycles;
  TrialRecord base;
  PLECTL_RETURN_IF_ERROR(ApplyParams({}, base));
  const bool suits =
      base.ple_off_because.empty() && SuitControls(parts_.module, base.params, interval);
  if (!suits && ChangesParams(plan)) {
    const host::ParamValues params = ControlParams(parts_.module, interval);
    // What the CPU does not let KVM have cannot be set.
    PLECTL_ASSIGN_OR_RETURN(const std::optional<std::string> off,
                            host::WhyPleIsOff(parts_.root, parts_.module, params));
    if (off) return NoControls(*off);
    PLECTL_RETURN_IF_ERROR(ApplyParams(params, base));
  }
  if (!base.ple_off_because.empty()) return NoControls(base.ple_off_because);
  const ControlPlan controls = PlanControls(parts_.module, base.params, interval);
  if (controls.controls.empty()) return NoControls(controls.missing_because);
  std::vector<ControlRecord> records;
  for (const Control& control : controls.controls) {
    PLECTL_ASSIGN_OR_RETURN(ControlRecord record, RunControl(plan, control, base));
    records.push_back(std::move(record));
  }
  return records;
}

Result<ControlRecord> KvmExecutor::RunControl(const Plan& plan, const Control& control,
                                              TrialRecord trial) {
  trial.id = control.name;
  trial.arm = control.arm;
  ControlRecord record;
  record.name = control.name;
  for (uint32_t halving = 0; halving <= control.halvings; ++halving) {
    const uint64_t turns = control.turns >> halving;
    if (turns == 0) break;
    TrialRecord tried = trial;
    tried.workload = LoopWorkload(plan, turns);
    PLECTL_RETURN_IF_ERROR(RunGuest(plan, TrialRole::kControl, tried));
    PLECTL_RETURN_IF_ERROR(CheckParamsUnchanged(tried));
    record.failed_because = WhyFailed(control, tried);
    record.trial = std::move(tried);
    if (record.failed_because.empty() || !record.trial->valid()) break;
  }
  if (record.trial->valid() && !record.failed_because.empty() &&
      !control.doubtful_because.empty()) {
    record.missing_because = fmt::format("{}; {}", record.failed_because, control.doubtful_because);
    record.failed_because.clear();
    record.trial.reset();
    return record;
  }
  record.expectation = control.expectation;
  return record;
}

}  // namespace plectl::experiment
