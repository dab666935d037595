// SPDX-License-Identifier: Apache-2.0
#include "host_tools/analysis/ple_model.h"

#include <algorithm>

namespace plectl::analysis {
namespace {

// What is left of `window` in the field that the hardware reads.
uint32_t Store(uint32_t window, WindowWidth width) {
  return width == WindowWidth::k16Bits ? static_cast<uint16_t>(window) : window;
}

}  // namespace

uint32_t GrowWindow(uint32_t window, const WindowRule& rule) {
  if (rule.grow < 1) return Store(rule.base, rule.width);
  const uint64_t wide = window;
  const uint64_t grown = rule.grow < rule.base ? wide * rule.grow : wide + rule.grow;
  return Store(static_cast<uint32_t>(std::min<uint64_t>(grown, rule.max)), rule.width);
}

uint32_t ShrinkWindow(uint32_t window, const WindowRule& rule) {
  if (rule.shrink < 1) return Store(rule.base, rule.width);
  const uint32_t shrunk = rule.shrink < rule.base ? window / rule.shrink : window - rule.shrink;
  return Store(std::max(shrunk, rule.base), rule.width);
}

uint64_t PredictWindowUpdates(uint64_t pause_exits, const WindowRule& rule) {
  uint32_t window = Store(rule.base, rule.width);
  uint64_t updates = 0;
  for (; updates < pause_exits; ++updates) {
    const uint32_t grown = GrowWindow(window, rule);
    if (grown == window) break;  // and so it stays: growing depends on the window only
    window = grown;
  }
  return updates;
}

std::optional<uint64_t> PredictPauseExits(const SpinLoop& loop, const FixedWindow& ple) {
  if (loop.interval_tsc_cycles == 0) return std::nullopt;
  if (loop.interval_tsc_cycles > ple.gap_tsc_cycles) return 0;
  return loop.pauses / (ple.window_tsc_cycles / loop.interval_tsc_cycles + 2);
}

}  // namespace plectl::analysis
