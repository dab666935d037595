// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/controls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host_tools/base/text.h"

namespace plectl::experiment {
namespace {

constexpr uint64_t kWindows = 20;
// Of which the control that must exit waits for 20: some tenths of a second at most.
constexpr double kWindowMaxTscCycles = 50e6;
constexpr uint64_t kGapMaxTscCycles = 60'000;  // below pause_filter_thresh's 16 bits

// The places of a parameter in both vendors' lists (host::PleParams).
enum Place : size_t { kWindow = 0, kGrow = 1, kShrink = 2, kMax = 3, kGap = 4 };

std::string Name(host::KvmModule module, Place place) {
  return std::string(host::PleParams(module)[place].name);
}

// How many PAUSEs at this distance the window spans; AMD's is counted in PAUSEs.
double PausesOfWindow(host::KvmModule module, double window, double interval_tsc_cycles) {
  return module == host::KvmModule::kAmd ? window : window / interval_tsc_cycles;
}

}  // namespace

host::ParamValues ControlParams(host::KvmModule module, double interval_tsc_cycles) {
  const auto gap = static_cast<uint64_t>(std::ceil(4 * interval_tsc_cycles));
  const auto& params = host::PleParams(module);
  const uint64_t window = module == host::KvmModule::kAmd ? 3000 : 4096;
  return {{Name(module, kWindow), std::to_string(window)},
          {Name(module, kGrow), "0"},
          {Name(module, kShrink), "0"},
          {Name(module, kMax), std::to_string(params[kMax].max)},
          {Name(module, kGap), std::to_string(std::clamp<uint64_t>(gap, params[kGap].kernel_default,
                                                                   kGapMaxTscCycles))}};
}

ControlPlan PlanControls(host::KvmModule module, const host::ParamValues& params,
                         double interval_tsc_cycles) {
  const std::string name = Name(module, kWindow);
  const auto found = params.find(name);
  const std::optional<uint64_t> window =
      found == params.end() ? std::nullopt : ParseUint(found->second);
  if (!window) return {{}, fmt::format("the module does not say its {}", name)};
  const std::string gap_name = Name(module, kGap);
  const auto gap = params.find(gap_name);
  if (gap != params.end() &&
      static_cast<double>(ParseUint(gap->second).value_or(UINT64_MAX)) < interval_tsc_cycles) {
    return {{},
            fmt::format("{}={} is below the {:.1f} TSC cycles from one PAUSE of a loop to the "
                        "next: PLE cannot fire",
                        gap_name, gap->second, interval_tsc_cycles)};
  }
  const double pauses = PausesOfWindow(module, static_cast<double>(*window), interval_tsc_cycles);
  if (pauses * interval_tsc_cycles > kWindowMaxTscCycles) {
    return {{}, fmt::format("{}={} is too wide a window to be waited for", name, *window)};
  }
  // The first PAUSE opens the loop, and the one after the window exits.
  const uint64_t turns = kWindows * (static_cast<uint64_t>(pauses) + 2);
  ControlPlan plan;
  plan.controls.push_back({"ple_fires", Arm::kPause, turns, true, "at least one PAUSE exit"});
  plan.controls.push_back({"nop", Arm::kNop, turns, false, "no PAUSE exit"});
  const auto half = static_cast<uint64_t>(pauses / 2);
  if (half > 0) {
    plan.controls.push_back({"below_window", Arm::kPause, half, false, "no PAUSE exit"});
  }
  return plan;
}

std::string WhyFailed(const Control& control, const TrialRecord& trial) {
  if (!trial.valid()) return trial.invalid_because;
  const uint64_t exits = trial.pause_exits.value();
  if (control.must_exit == (exits > 0)) return {};
  return fmt::format("{} PAUSE exits in {} turns of a loop of {}s, expected {}", exits,
                     control.turns, control.arm == Arm::kNop ? "NOP" : "PAUSE",
                     control.must_exit ? "at least one" : "none");
}

}  // namespace plectl::experiment
