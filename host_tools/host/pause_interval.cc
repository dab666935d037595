// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/pause_interval.h"

#include <fmt/format.h>
#include <x86intrin.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace plectl::host {
namespace {

constexpr uint64_t kTurns = 1000;  // more than 100,000 cycles where a PAUSE takes 140
constexpr int kLoops = 100;        // some of them at full speed and without an interrupt

uint64_t CyclesOfLoop() {
  uint64_t turns = kTurns;
  const uint64_t start = __rdtsc();
  asm volatile(
      "1: pause\n\t"
      "dec %0\n\t"
      "jnz 1b"
      : "+r"(turns)
      :
      : "cc");
  return __rdtsc() - start;
}

}  // namespace

double PauseIntervalTscCycles() {
  uint64_t least = std::numeric_limits<uint64_t>::max();
  for (int i = 0; i < kLoops; ++i) least = std::min(least, CyclesOfLoop());
  return static_cast<double>(least) / static_cast<double>(kTurns);
}

std::optional<std::string> WhyGapOutOfReach(std::string_view name, uint64_t gap,
                                            double interval_tsc_cycles) {
  if (gap == 0 || static_cast<double>(gap) >= interval_tsc_cycles) return std::nullopt;
  return fmt::format(
      "PLE cannot fire: a PAUSE takes {:.0f} TSC cycles here, {} is {}; the least that can is "
      "{:.0f}",
      interval_tsc_cycles, name, gap, std::ceil(interval_tsc_cycles));
}

}  // namespace plectl::host
