// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "host_tools/base/count.h"
#include "host_tools/base/result.h"

namespace plectl::experiment {

// The smallest gap at which PLE sees a loop whose PAUSEs are `interval_tsc_cycles` apart: hardware
// opens a new loop when the time since the last PAUSE is above the gap (SDM volume 3C, 24.6.13).
uint64_t PredictFirstGap(double interval_tsc_cycles);

// Whether a loop makes PAUSE exits under this gap. Each call costs a reload of the module.
using GapProbe = std::function<Result<bool>(uint64_t gap_tsc_cycles)>;

// The smallest gap of 1 to `max` at which `fires`. Looks at the predicted one and the one below
// first, and only if they are not the cliff for the real one. Missing when even `max` does not
// fire.
Result<Count> FindFirstGap(uint64_t predicted, uint64_t max, const GapProbe& fires);

}  // namespace plectl::experiment
