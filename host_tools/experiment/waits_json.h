// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::experiment {

// [[lower_bound, count], ...], as in a vCPU's "wait_histogram".
nlohmann::json ToJson(const guests::WaitHistogram& histogram);
// Empty when the key is absent. BadInput when a count is 0, or a bound is no bucket's or not above
// the one before.
Result<guests::WaitHistogram> WaitHistogramFromJson(const JsonFields& vcpu, Keep keep = Keep::kYes);

// {"p50": ..., "p99": ..., "p99_9": ..., "max": ...}, as in a trial's "wait_tsc_cycles".
nlohmann::json ToJson(const guests::WaitSummary& waits);
// Nothing when the key is absent: older records, and payloads that wait for nothing.
Result<std::optional<guests::WaitSummary>> WaitSummaryFromJson(const JsonFields& trial);

}  // namespace plectl::experiment
