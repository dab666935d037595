// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/calibrator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "host_tools/base/stop.h"
#include "host_tools/experiment/controls.h"
#include "host_tools/experiment/counting_observer.h"
#include "host_tools/experiment/gap_cliff.h"
#include "host_tools/experiment/gap_reach.h"
#include "host_tools/host/ple_params.h"

namespace plectl::experiment {
namespace {

// Small, so that little time gives many exits: TSC cycles, or AMD's PAUSEs.
constexpr uint64_t kWindowTscCycles = 1024;
constexpr uint64_t kCountPauses = 300;
constexpr uint64_t kWindowsPerProbe = 20;
constexpr uint64_t kStormPauses = 500'000;
constexpr int kStorms = 8;
constexpr uint64_t kGapMaxTscCycles = 65'535;

struct Mode {
  std::string_view name;
  host::ObserverChoice choice;
  host::CheckTrials check;
};
constexpr std::array kModes = {
    Mode{"bpf (default)", host::ObserverChoice::kBpf, host::CheckTrials::kControls},
    Mode{"pause-only", host::ObserverChoice::kPauseOnly, host::CheckTrials::kControls},
    Mode{"bpf, check every-trial", host::ObserverChoice::kBpf, host::CheckTrials::kEvery},
    Mode{"perf", host::ObserverChoice::kPerf, host::CheckTrials::kControls},
};

host::ParamValues SmallWindow(host::KvmModule module, double interval_tsc_cycles) {
  host::ParamValues params = ControlParams(module, interval_tsc_cycles);
  params[host::PleName(module, host::kPleWindow)] =
      std::to_string(module == host::KvmModule::kAmd ? kCountPauses : kWindowTscCycles);
  return params;
}

// PAUSEs that last some windows.
uint64_t ProbeTurns(host::KvmModule module, double interval_tsc_cycles) {
  const double pauses = module == host::KvmModule::kAmd ? static_cast<double>(kCountPauses)
                                                        : static_cast<double>(kWindowTscCycles) /
                                                              std::max(interval_tsc_cycles, 1.0);
  return kWindowsPerProbe * (static_cast<uint64_t>(pauses) + 2);
}

uint64_t KvmExitsOf(const guests::GuestResult& result) {
  uint64_t exits = 0;
  for (const guests::VcpuResult& vcpu : result.vcpus) {
    if (vcpu.kvm_exits.has_value()) exits += vcpu.kvm_exits.value();
  }
  return exits;
}

}  // namespace

Result<guests::GuestResult> Calibrator::RunGuest(const guests::GuestRequest& request,
                                                 guests::GuestObserver& observer) {
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  return parts_.runner->Run(request, observer);
}

guests::GuestRequest Calibrator::RequestOf(const std::string& payload, uint64_t iterations,
                                           uint64_t body_loops) const {
  guests::GuestRequest request;
  request.workload.payload = payload;
  request.workload.vcpus = 1;
  request.workload.cpus = {parts_.cpu};
  request.workload.iterations = iterations;
  request.workload.body_loops = body_loops;
  request.relax_tsc_cycles = parts_.relax_tsc_cycles;
  return request;
}

Result<Calibration> Calibrator::Measure(uint64_t body_loops) {
  const guests::GuestRequest request =
      CalibrationRequest(parts_.cpu, body_loops, parts_.relax_tsc_cycles);
  CountingObserver nobody(nullptr);
  PLECTL_ASSIGN_OR_RETURN(const guests::GuestResult result, RunGuest(request, nobody));
  return CalibrationOf(result);
}

Result<bool> Calibrator::Fires(const LoopCliff& loop, uint64_t gap, host::ObserverPair& observers) {
  host::ParamValues params = SmallWindow(parts_.module, loop.interval_tsc_cycles);
  params[host::PleName(parts_.module, host::kPleGap)] = std::to_string(gap);
  PLECTL_RETURN_IF_ERROR(parts_.params.Apply(params));
  const uint64_t turns = ProbeTurns(parts_.module, loop.interval_tsc_cycles);
  CountingObserver counting(&observers);
  PLECTL_RETURN_IF_ERROR(RunGuest(RequestOf(loop.loop, turns, loop.body_loops), counting));
  const Count& exits = counting.counts.primary.pause_exits;
  if (!exits.has_value()) return Inconclusive("no PAUSE exits counted: " + exits.missing_because());
  return exits.value() > 0;
}

Status Calibrator::SearchFirstGap(LoopCliff& loop, host::ObserverPair& observers) {
  const Result<Count> first =
      FindFirstGap(loop.predicted_gap, kGapMaxTscCycles, [&](uint64_t gap) -> Result<bool> {
        loop.out_of_time = parts_.out_of_time();
        if (loop.out_of_time) return Inconclusive(std::string(kOutOfTime));
        return Fires(loop, gap, observers);
      });
  if (!first && !loop.out_of_time) return Fail(first.error());
  loop.first_gap = first ? *first : Count::Missing(std::string(kOutOfTime));
  return OkStatus();
}

Status Calibrator::MeasureCliffs(CalibrationReport& report) {
  PLECTL_ASSIGN_OR_RETURN(host::ObserverPair observers,
                          host::OpenObservers(parts_.root, parts_.module, {}));
  for (LoopCliff& loop : report.cliffs) {
    parts_.on_step(
        fmt::format("the first gap for {}, {} loops in its body", loop.loop, loop.body_loops));
    PLECTL_RETURN_IF_ERROR(SearchFirstGap(loop, observers));
  }
  return OkStatus();
}

Result<double> Calibrator::StormTscCycles(host::ObserverPair* observers, uint64_t& exits) {
  uint64_t fastest = UINT64_MAX;
  for (int storm = 0; storm < kStorms; ++storm) {
    CountingObserver counting(observers);
    PLECTL_ASSIGN_OR_RETURN(const guests::GuestResult result,
                            RunGuest(RequestOf("pause_loop", kStormPauses, 0), counting));
    if (result.all.elapsed_tsc_cycles >= fastest) continue;
    fastest = result.all.elapsed_tsc_cycles;
    exits = KvmExitsOf(result);
  }
  if (exits == 0) return Inconclusive("the storm of PAUSEs made no exits");
  return static_cast<double>(fastest);
}

Status Calibrator::MeasureObservers(CalibrationReport& report) {
  const double interval = report.calibration.pause_loop_tsc_cycles;
  PLECTL_RETURN_IF_ERROR(parts_.params.Apply(SmallWindow(parts_.module, interval)));
  uint64_t exits = 0;
  PLECTL_ASSIGN_OR_RETURN(const double bare, StormTscCycles(nullptr, exits));
  for (const Mode& mode : kModes) {
    parts_.on_step(fmt::format("what each exit costs under {}", mode.name));
    ObserverTime time{std::string(mode.name), std::nullopt, {}};
    host::ObserverOptions options;
    options.choice = mode.choice;
    options.check = mode.check;
    Result<host::ObserverPair> observers = host::OpenObservers(parts_.root, parts_.module, options);
    if (observers) {
      PLECTL_ASSIGN_OR_RETURN(const double watched, StormTscCycles(&*observers, exits));
      time.tsc_cycles_per_exit = (watched - bare) / static_cast<double>(exits);
    } else {
      time.missing_because = observers.error().Text();
    }
    report.observers.push_back(std::move(time));
  }
  return OkStatus();
}

Result<std::string> Calibrator::WhyNotToTry(double interval_tsc_cycles) {
  if (parts_.out_of_time()) return std::string(kOutOfTime);
  const auto params = parts_.params.Apply(SmallWindow(parts_.module, interval_tsc_cycles));
  if (!params) {
    // A module in use: what was measured without a reload is worth something too.
    if (params.error().kind == ErrorKind::kEnvironment) return params.error().Text();
    return Fail(params.error());
  }
  PLECTL_ASSIGN_OR_RETURN(const std::optional<std::string> off,
                          host::WhyPleIsOff(parts_.root, parts_.module, *params));
  return off.value_or("");
}

Result<CalibrationReport> Calibrator::Run(const std::vector<uint64_t>& bodies,
                                          CalibrationDepth depth) {
  CalibrationReport report;
  report.gap_name = host::PleName(parts_.module, host::kPleGap);
  for (const uint64_t body_loops : bodies) {
    PLECTL_ASSIGN_OR_RETURN(const Calibration measured, Measure(body_loops));
    if (report.cliffs.empty()) {
      report.calibration = measured;
      report.cliffs.push_back({"pause_loop", body_loops, measured.pause_loop_tsc_cycles, 0,
                               Count::Missing("not measured")});
    }
    report.cliffs.push_back({"wait_loop", body_loops, measured.wait_loop_tsc_cycles, 0,
                             Count::Missing("not measured")});
  }
  for (LoopCliff& loop : report.cliffs) {
    loop.predicted_gap = PredictFirstGap(loop.interval_tsc_cycles);
  }
  report.cannot_fire_because = WhyGapTooSmall(parts_.module, parts_.params.originals(),
                                              report.calibration.wait_loop_tsc_cycles);
  if (depth == CalibrationDepth::kDistances) return report;
  PLECTL_ASSIGN_OR_RETURN(report.not_tried_because,
                          WhyNotToTry(report.calibration.pause_loop_tsc_cycles));
  if (!report.not_tried_because.empty()) return report;
  PLECTL_RETURN_IF_ERROR(MeasureCliffs(report));
  if (depth == CalibrationDepth::kCliffs) return report;
  PLECTL_RETURN_IF_ERROR(MeasureObservers(report));
  return report;
}

}  // namespace plectl::experiment
