// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// "other" or "fifo", as plans and run logs write it.
std::string_view SchedulingName(guests::VcpuScheduling scheduling);

// "never", "holding" or "locking".
std::string_view InterruptsOffName(guests::InterruptsOff interrupts_off);

// A workload as run logs hold it, all its fields: equal workloads give equal JSON. interrupts_off
// is left out when it is `never`, so that logs and trial ids from before it are still the same.
nlohmann::json ToJson(const guests::Workload& workload);

// BadInput that names the field when one (but interrupts_off) is absent, of another type or out of
// range.
Result<guests::Workload> WorkloadFromJson(const nlohmann::json& json);

}  // namespace plectl::experiment
