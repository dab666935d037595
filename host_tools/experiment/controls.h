// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/trial_record.h"
#include "host_tools/host/ple_params.h"

namespace plectl::experiment {

// The controls of a session: small trials whose outcome is known beforehand. A host on which they
// do not come out so cannot measure PLE, whatever its numbers say.

inline constexpr std::array<std::string_view, 3> kControlNames = {"ple_fires", "nop",
                                                                  "below_window"};

// One control: the payload pause_loop with one vCPU that has a CPU to itself.
struct Control {
  std::string name;
  Arm arm = Arm::kPause;
  uint64_t turns = 0;       // of the loop, one relax instruction each
  bool must_exit = false;   // at least one PAUSE exit; else exactly none
  std::string expectation;  // for people
  // How often it is run again with half the turns when PAUSE exits came: a core that is slower than
  // when it was calibrated takes longer for the same turns, also longer than the window.
  uint32_t halvings = 0;
  // Not empty: when it does not come out so, nothing is known, and this is why.
  std::string doubtful_because;
};

// Whether they can run under `params`, a trial's own, without a doubt: the window lasts at most
// 65,536 TSC cycles, and the gap is four times `interval_tsc_cycles`, the distance of two PAUSEs of
// the loop. That PLE is on at all is for the caller to know (host::WhyPleIsOff).
bool SuitControls(host::KvmModule module, const host::ParamValues& params,
                  double interval_tsc_cycles);

// The parameters under which they run otherwise, when the plan may change parameters at all: a
// fixed window of 4096 cycles (AMD: 3000 PAUSEs), and a gap well above the interval.
host::ParamValues ControlParams(host::KvmModule module, double interval_tsc_cycles);

// The controls for a host whose module has `params`, which let PLE fire:
//   ple_fires     20 windows of PAUSEs: at least one exit
//   below_window  half a window of them, else a quarter, else an eighth: a vCPU that waits as long
//                 as waiting is sound has none
//   nop           20 windows of NOPs: none
// None when the window is too wide to be waited for, or the gap too small for this loop.
struct ControlPlan {
  std::vector<Control> controls;
  std::string missing_because;
};
ControlPlan PlanControls(host::KvmModule module, const host::ParamValues& params,
                         double interval_tsc_cycles);

// Why `trial`, a run of `control`, does not show what it must; empty when it does.
std::string WhyFailed(const Control& control, const TrialRecord& trial);

}  // namespace plectl::experiment
