// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/gap_cliff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace plectl::experiment {
namespace {

// Below this much, a fraction of a cycle is the calibration's noise.
constexpr double kNoiseTscCycles = 0.01;

// `low` does not fire (0 turns PLE off), `high` does.
Result<Count> Bisect(uint64_t low, uint64_t high, const GapProbe& fires) {
  while (high - low > 1) {
    const uint64_t middle = std::midpoint(low, high);
    PLECTL_ASSIGN_OR_RETURN(const bool fired, fires(middle));
    (fired ? high : low) = middle;
  }
  return Count(high);
}

// `low` does not fire; steps away from it in growing steps.
Result<Count> SearchAbove(uint64_t low, uint64_t max, const GapProbe& fires) {
  for (uint64_t step = 1; low < max; step *= 2) {
    const uint64_t gap = std::min(low + step, max);
    PLECTL_ASSIGN_OR_RETURN(const bool fired, fires(gap));
    if (fired) return Bisect(low, gap, fires);
    low = gap;
  }
  return Count::Missing(fmt::format("no PAUSE exit under any gap up to {}", max));
}

}  // namespace

uint64_t PredictFirstGap(double interval_tsc_cycles) {
  return static_cast<uint64_t>(std::max(1.0, std::ceil(interval_tsc_cycles - kNoiseTscCycles)));
}

Result<Count> FindFirstGap(uint64_t predicted, uint64_t max, const GapProbe& fires) {
  predicted = std::clamp<uint64_t>(predicted, 1, max);
  PLECTL_ASSIGN_OR_RETURN(const bool fired, fires(predicted));
  if (!fired) return SearchAbove(predicted, max, fires);
  if (predicted == 1) return Count(1);
  PLECTL_ASSIGN_OR_RETURN(const bool fired_below, fires(predicted - 1));
  return fired_below ? Bisect(0, predicted - 1, fires) : Result<Count>(Count(predicted));
}

}  // namespace plectl::experiment
