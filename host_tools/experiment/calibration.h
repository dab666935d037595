// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// What a relax instruction costs the guest, and how far apart those of its spin loops are, in TSC
// cycles of the guest: N against 2N of them, the fastest of several runs, in a VM without PAUSE
// exits. PLE compares these distances with its gap.
struct Calibration {
  double pause_tsc_cycles = 0;       // one PAUSE among others, nothing in between
  double wait_loop_tsc_cycles = 0;   // PAUSE to PAUSE in the loop that waits for a lock
  double pause_loop_tsc_cycles = 0;  // in the payload pause_loop
  uint64_t tsc_khz = 0;
  std::string missing_because;  // not empty: nothing else is set
};

// A guest that measures them, alone on host CPU `cpu`; `body_loops` are those of the wait loop.
guests::GuestRequest CalibrationRequest(int cpu, uint64_t body_loops, uint64_t relax_tsc_cycles);
// From a guest that ran the payload `relax_cost`; BadInput when it is another one's result.
Result<Calibration> CalibrationOf(const guests::GuestResult& result);

// As the manifest holds it.
nlohmann::json ToJson(const Calibration& calibration);

}  // namespace plectl::experiment
