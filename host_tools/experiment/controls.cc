// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/controls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/experiment/gap_reach.h"

namespace plectl::experiment {
namespace {

constexpr uint64_t kWindows = 20;
// Of which the control that must exit waits for 20: some tenths of a second at most.
constexpr double kWindowMaxTscCycles = 50e6;
constexpr uint64_t kGapMaxTscCycles = 60'000;  // below pause_filter_thresh's 16 bits

// A PAUSE takes core cycles, the gap is TSC cycles: a core may be this many times slower in a trial
// than when its interval was calibrated.
constexpr double kGapMargin = 4;
// In turns of half as many each: the same, for the control that must stay below the window.
constexpr uint32_t kHalvings = 2;
constexpr double kShortWindowMaxTscCycles = 65'536;

std::optional<uint64_t> ValueOf(host::KvmModule module, const host::ParamValues& params,
                                host::PlePlace place) {
  const auto found = params.find(host::PleName(module, place));
  return found == params.end() ? std::nullopt : ParseUint(found->second);
}

// How many PAUSEs at this distance the window spans; AMD's is counted in PAUSEs.
double PausesOfWindow(host::KvmModule module, double window, double interval_tsc_cycles) {
  return module == host::KvmModule::kAmd ? window : window / interval_tsc_cycles;
}

// Why a loop without PAUSE exits would not show that PLE does not work; empty where it would.
std::string WhyDoubtful(host::KvmModule module, const std::optional<uint64_t>& gap,
                        double interval_tsc_cycles) {
  if (!gap || static_cast<double>(*gap) >= kGapMargin * interval_tsc_cycles) return {};
  return fmt::format(
      "{}={} is less than {} times the {:.1f} TSC cycles from one PAUSE of a loop to the next: a "
      "core whose frequency falls makes them more than the gap",
      host::PleName(module, host::kPleGap), *gap, kGapMargin, interval_tsc_cycles);
}

}  // namespace

host::ParamValues ControlParams(host::KvmModule module, double interval_tsc_cycles) {
  const auto gap = static_cast<uint64_t>(std::ceil(kGapMargin * interval_tsc_cycles));
  using host::PleName;
  const auto& params = host::PleParams(module);
  const uint64_t window = module == host::KvmModule::kAmd ? 3000 : 4096;
  const uint64_t gap_min = params[host::kPleGap].kernel_default;
  return {{PleName(module, host::kPleWindow), std::to_string(window)},
          {PleName(module, host::kPleGrow), "0"},
          {PleName(module, host::kPleShrink), "0"},
          {PleName(module, host::kPleMax), std::to_string(params[host::kPleMax].max)},
          {PleName(module, host::kPleGap),
           std::to_string(std::clamp<uint64_t>(gap, gap_min, kGapMaxTscCycles))}};
}

bool SuitControls(host::KvmModule module, const host::ParamValues& params,
                  double interval_tsc_cycles) {
  const std::optional<uint64_t> window = ValueOf(module, params, host::kPleWindow);
  const std::optional<uint64_t> gap = ValueOf(module, params, host::kPleGap);
  if (!window || *window == 0 || !gap) return false;
  const double pauses = PausesOfWindow(module, static_cast<double>(*window), interval_tsc_cycles);
  return pauses * interval_tsc_cycles <= kShortWindowMaxTscCycles &&
         static_cast<double>(*gap) >= kGapMargin * interval_tsc_cycles;
}

ControlPlan PlanControls(host::KvmModule module, const host::ParamValues& params,
                         double interval_tsc_cycles) {
  const std::string name = host::PleName(module, host::kPleWindow);
  const std::optional<uint64_t> window = ValueOf(module, params, host::kPleWindow);
  if (!window) return {{}, fmt::format("the module does not say its {}", name)};
  const std::optional<uint64_t> gap = ValueOf(module, params, host::kPleGap);
  if (std::string why = WhyGapTooSmall(module, params, interval_tsc_cycles); !why.empty()) {
    return {{}, std::move(why)};
  }
  const double pauses = PausesOfWindow(module, static_cast<double>(*window), interval_tsc_cycles);
  if (pauses * interval_tsc_cycles > kWindowMaxTscCycles) {
    return {{}, fmt::format("{}={} is too wide a window to be waited for", name, *window)};
  }
  // The first PAUSE opens the loop, and the one after the window exits.
  const uint64_t turns = kWindows * (static_cast<uint64_t>(pauses) + 2);
  ControlPlan plan;
  plan.controls.push_back({"ple_fires", Arm::kPause, turns, true, "at least one PAUSE exit", 0,
                           WhyDoubtful(module, gap, interval_tsc_cycles)});
  plan.controls.push_back({"nop", Arm::kNop, turns, false, "no PAUSE exit", 0, ""});
  const auto half = static_cast<uint64_t>(pauses / 2);
  if (half > 0) {
    plan.controls.push_back(
        {"below_window", Arm::kPause, half, false, "no PAUSE exit", kHalvings, ""});
  }
  return plan;
}

std::string WhyFailed(const Control& control, const TrialRecord& trial) {
  if (!trial.valid()) return trial.invalid_because;
  const uint64_t exits = trial.pause_exits.value();
  if (control.must_exit == (exits > 0)) return {};
  return fmt::format("{} PAUSE exits in {} turns of a loop of {}s, expected {}", exits,
                     trial.workload.iterations, control.arm == Arm::kNop ? "NOP" : "PAUSE",
                     control.must_exit ? "at least one" : "none");
}

}  // namespace plectl::experiment
