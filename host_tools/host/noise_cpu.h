// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/host/noise_record.h"

namespace plectl::host {

// Readers of the kernel's files on CPUs, for the measured ones: `cpus`, ascending, each once. What
// a text does not say of all of them, or not in the form that the kernel writes, becomes a missing
// count.

// /proc/stat: steal, irq and softirq time, context switches. Returns the idle time of the measured
// CPUs together. All but the context switches come in ticks of 1 / `ticks_per_s` s.
Count ParseStat(std::string_view text, std::span<const int> cpus, uint64_t ticks_per_s,
                NoiseCounts& counts);

// /proc/schedstat: timeslices. Returns the time that tasks ran on each of the measured CPUs, in
// nanoseconds; that of a task that runs now is added when it is switched out.
std::vector<Count> ParseSchedstat(std::string_view text, std::span<const int> cpus,
                                  NoiseCounts& counts);
// All of them together.
Count SumOf(std::span<const Count> counts);

// /proc/interrupts. Returns the lines but for timers and IPIs that have fired: "24 nvme0q1".
std::vector<NoiseIrq> ParseInterrupts(std::string_view text, std::span<const int> cpus,
                                      NoiseCounts& counts);

}  // namespace plectl::host
