// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/selftest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/stop.h"
#include "host_tools/experiment/controls.h"
#include "host_tools/experiment/schedule.h"
#include "host_tools/host/msr_counters.h"

namespace plectl::experiment {
namespace {

constexpr std::string_view kLoop = "pause_loop";
// A fair one: once two vCPUs have met, every round waits.
constexpr std::string_view kLock = "ticket";
constexpr uint64_t kWindowsPerTrial = 100;
// Where no window can be set the loop is only there to be counted.
constexpr uint64_t kFewTurns = 100'000;

// TSC cycles, or AMD's PAUSEs.
struct Windows {
  uint64_t small = 0;
  uint64_t large = 0;
};
Windows WindowsOf(host::KvmModule module) {
  return module == host::KvmModule::kAmd ? Windows{1000, 3000} : Windows{4096, 16'384};
}

SelftestCheck NotTried(const std::string& name, const std::string& because) {
  SelftestCheck check;
  check.name = name;
  check.expectation = "tried, as plectl docs selftest says";
  check.essential = name != "tsc" && name != "core_clock";
  check.because = because;
  return check;
}

// A loop of PAUSEs, and a lock of the default length.
std::string Workloads(int cpu, uint64_t turns) {
  return fmt::format(
      "workloads:\n"
      "  - {{payload: {}, vcpus: 1, cpus: [{}], iterations: {}}}\n"
      "  - {{payload: {}, vcpus: 2, cpus: [{}]}}\n",
      kLoop, cpu, turns, kLock, cpu);
}

class Selftest {
 public:
  explicit Selftest(const SelftestParts& parts) : parts_(parts) {}

  Result<SelftestReport> Run() {
    PLECTL_ASSIGN_OR_RETURN(const KvmState before, ReadKvmState(parts_.root, parts_.module));
    report_.checks.push_back(CheckTsc(parts_.root));
    PLECTL_RETURN_IF_ERROR(TryGap());
    PLECTL_RETURN_IF_ERROR(TryTrials());
    PLECTL_ASSIGN_OR_RETURN(const KvmState after, ReadKvmState(parts_.root, parts_.module));
    report_.checks.push_back(CheckRestored(before, after));
    NameWhatIsNotTried();
    return std::move(report_);
  }

 private:
  // Once out of time, always.
  bool OutOfTime() {
    out_of_time_ = out_of_time_ || parts_.out_of_time();
    return out_of_time_;
  }

  // The calibration, while the core's clock is counted, and the gap's cliff.
  Status TryGap() {
    if (OutOfTime()) return OkStatus();
    const int cpu = parts_.cpu;
    host::MsrCounters counters(parts_.root);
    static_cast<void>(counters.Read(std::span(&cpu, 1)));  // counts from here
    PLECTL_ASSIGN_OR_RETURN(const std::unique_ptr<Calibrator> calibrator, parts_.make_calibrator());
    calibrator->SetOutOfTime([this] { return OutOfTime(); });
    const Result<CalibrationReport> measured = calibrator->Run({0}, CalibrationDepth::kCliffs);
    PLECTL_RETURN_IF_ERROR(calibrator->Finish());
    PLECTL_RETURN_IF_ERROR(measured);
    report_.checks.push_back(CheckCoreClock(counters.Read(std::span(&cpu, 1))));
    for (const LoopCliff& loop : measured->cliffs) {
      report_.checks.push_back(CheckGapCliff(*measured, loop));
    }
    interval_tsc_cycles_ = measured->calibration.pause_loop_tsc_cycles;
    no_windows_because_ = measured->not_tried_because;
    return OkStatus();
  }

  Status TryTrials() {
    if (OutOfTime()) return OkStatus();
    const std::string text =
        no_windows_because_.empty()
            ? SelftestPlan(parts_.module, interval_tsc_cycles_, parts_.cpu)
            : fmt::format("name: selftest\narms: [pause]\n{}", Workloads(parts_.cpu, kFewTurns));
    PLECTL_ASSIGN_OR_RETURN(const Plan plan, ParsePlan(text, "selftest", parts_.payloads));
    PLECTL_ASSIGN_OR_RETURN(const std::unique_ptr<Executor> executor, parts_.make_executor(plan));
    report_.host = executor->Host();
    report_.calibration = executor->Calibrate(plan);
    const Status ran = RunAll(plan, *executor);
    const Status finished = executor->Finish();
    PLECTL_RETURN_IF_ERROR(ran);
    PLECTL_RETURN_IF_ERROR(finished);
    JudgeTrials();
    return OkStatus();
  }

  // The lock once: it says nothing of the window.
  Status RunAll(const Plan& plan, Executor& executor) {
    bool locked = false;
    for (const ScheduledTrial& trial : MakeSchedule(plan)) {
      const std::string& payload = plan.workloads[trial.workload].payload;
      if (payload == kLock && std::exchange(locked, true)) continue;
      if (OutOfTime()) return OkStatus();
      PLECTL_RETURN_IF_ERROR(CheckNotStopped());
      parts_.on_step(fmt::format("a trial of {}", payload));
      PLECTL_ASSIGN_OR_RETURN(TrialRecord record, executor.Run(plan, trial, 1));
      report_.trials.push_back(std::move(record));
    }
    if (OutOfTime()) return OkStatus();
    parts_.on_step("the controls");
    PLECTL_ASSIGN_OR_RETURN(report_.controls, executor.RunControls(plan));
    return OkStatus();
  }

  void JudgeTrials() {
    const double interval = report_.calibration.missing_because.empty()
                                ? report_.calibration.pause_loop_tsc_cycles
                                : interval_tsc_cycles_;
    for (const TrialRecord& trial : report_.trials) {
      const bool is_lock = trial.workload.payload == kLock;
      if (!is_lock && !no_windows_because_.empty()) continue;
      report_.checks.push_back(is_lock ? CheckContended(trial)
                                       : CheckWindow(parts_.module, trial, interval));
    }
    if (!report_.trials.empty()) report_.checks.push_back(CheckWitnesses(report_.trials));
    for (const ControlRecord& control : report_.controls) {
      report_.checks.push_back(CheckControl(control));
    }
  }

  // All checks in their order, those that had no turn as missing.
  void NameWhatIsNotTried() {
    const std::string why = out_of_time_ ? std::string(kOutOfTime) : no_windows_because_;
    std::vector<SelftestCheck> all;
    for (const std::string& name : SelftestCheckNames(parts_.module)) {
      const auto found = std::ranges::find(report_.checks, name, &SelftestCheck::name);
      all.push_back(found != report_.checks.end() ? std::move(*found) : NotTried(name, why));
    }
    report_.checks = std::move(all);
  }

  const SelftestParts& parts_;
  SelftestReport report_;
  bool out_of_time_ = false;
  std::string no_windows_because_;  // not empty: the host's parameters are left as they are
  double interval_tsc_cycles_ = 0;
};

}  // namespace

std::vector<std::string> SelftestCheckNames(host::KvmModule module) {
  const Windows windows = WindowsOf(module);
  std::vector<std::string> names = {"tsc",
                                    "core_clock",
                                    "gap_cliff of pause_loop",
                                    "gap_cliff of wait_loop",
                                    fmt::format("window {}", windows.small),
                                    fmt::format("window {}", windows.large),
                                    "contention",
                                    "witnesses"};
  for (const std::string_view control : kControlNames) {
    names.push_back(fmt::format("control {}", control));
  }
  names.emplace_back("restored");
  return names;
}

std::string SelftestPlan(host::KvmModule module, double interval_tsc_cycles, int cpu) {
  const Windows windows = WindowsOf(module);
  const double pauses = module == host::KvmModule::kAmd
                            ? static_cast<double>(windows.large)
                            : static_cast<double>(windows.large) / interval_tsc_cycles;
  host::ParamValues params = ControlParams(module, interval_tsc_cycles);
  params[host::PleName(module, host::kPleWindow)] =
      fmt::format("[{}, {}]", windows.small, windows.large);
  std::string text = "name: selftest\narms: [pause]\nparams:\n";
  for (const auto& [name, value] : params) text += fmt::format("  {}: {}\n", name, value);
  return text + Workloads(cpu, kWindowsPerTrial * (static_cast<uint64_t>(pauses) + 2));
}

Result<SelftestReport> RunSelftest(const SelftestParts& parts) { return Selftest(parts).Run(); }

}  // namespace plectl::experiment
