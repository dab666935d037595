// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/experiment/calibration.h"
#include "host_tools/host/ple_params.h"

namespace plectl::experiment {

// How far apart the PAUSEs of this workload are at the least, in TSC cycles; with body_loops they
// are further. 0 where nothing was calibrated.
double LeastIntervalTscCycles(const guests::Workload& workload, const Calibration& calibration);

// Why PLE cannot fire under `params` in a loop whose PAUSEs are so far apart, and the least gap
// under which it could; empty where it can, or where PLE is off anyway.
std::string WhyGapTooSmall(host::KvmModule module, const host::ParamValues& params,
                           double interval_tsc_cycles);

}  // namespace plectl::experiment
