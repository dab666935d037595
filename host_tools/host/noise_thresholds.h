// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "host_tools/host/noise_record.h"

namespace plectl::host {

// What a trial may see of a quantity and still count as quiet. `at_most` is for a trial of no
// length, `per_s` comes on top for each second of it; both are for each measured CPU when
// `per_cpu`.
struct NoiseThreshold {
  NoiseQuantity quantity;
  uint64_t at_most;
  uint64_t per_s;
  bool per_cpu;
  std::string_view happened;  // what it means when there was more, in a few words
  std::string_view unit;      // "pages"; with `unit_divisor` of the quantity's own units in one
  uint64_t unit_divisor;
  std::string_view next_step;
};
std::span<const NoiseThreshold> NoiseThresholds();

// What `threshold` allows in a trial of `record`'s length on `cpus` measured CPUs.
uint64_t QuietAtMost(const NoiseThreshold& threshold, const NoiseRecord& record, size_t cpus);

// Why a trial counts as disturbed, or "" when it was quiet: what happened, what was seen and would
// have been quiet, and the next steps, separated by "; ". What is missing disturbs nothing.
std::string DisturbedBecause(const NoiseRecord& record, size_t cpus);

}  // namespace plectl::host
