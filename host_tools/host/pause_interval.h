// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plectl::host {

// The least time from one PAUSE to the next in a loop of nothing else, in TSC cycles, on the CPU
// that runs this: the fastest of many loops, within some ten milliseconds. A guest that spins there
// takes no less.
double PauseIntervalTscCycles();

// What keeps PLE from firing when its gap (`name`) is `gap`, and the least gap under which it
// could; nothing where it can fire.
std::optional<std::string> WhyGapOutOfReach(std::string_view name, uint64_t gap,
                                            double interval_tsc_cycles);

}  // namespace plectl::host
