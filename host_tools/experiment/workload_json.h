// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_value.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// "other" or "fifo", as plans and run logs write it.
std::string_view SchedulingName(guests::VcpuScheduling scheduling);

// "never", "holding" or "locking".
std::string_view InterruptsOffName(guests::InterruptsOff interrupts_off);

// "fixed" or "exponential".
std::string_view DistributionName(guests::Distribution distribution);

// A workload as run logs hold it: equal workloads give equal JSON. Fields that came later
// (interrupts_off, the distributions, random_seed, relax_repeat) are left out when they have their
// defaults, so that logs and trial ids from before them are still the same; of `iterations` and
// `duration_tsc_cycles` there is the one that counts.
nlohmann::json ToJson(const guests::Workload& workload);

// BadInput that names the field when one (but those) is absent, of another type or out of range.
Result<guests::Workload> WorkloadFromJson(const JsonValue& json);

}  // namespace plectl::experiment
