// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host_tools/experiment/run_log.h"
#include "host_tools/output/gbench_point.h"

namespace plectl::output {

// The "context" of Google Benchmark's JSON for a run: the standard keys that its first session's
// fingerprint can fill, then what plectl knows, and how many trials are not in `points`. There is
// no "date": a run log does not say when.
nlohmann::ordered_json GbenchContext(const experiment::RunLog& log, const GbenchPoints& points);

}  // namespace plectl::output
