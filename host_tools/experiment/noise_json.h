// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/host/noise_record.h"

namespace plectl::experiment {

// A trial's "noise": one object per group of quantities. A group that is missing as a whole, all
// for the same reason, is one missing count.
nlohmann::json NoiseToJson(const host::NoiseRecord& noise);

// BadInput that names the field when "noise" of `trial` is not as written above. Quantities that
// are absent, as of an older plectl, are missing.
Result<host::NoiseRecord> NoiseFromJson(const JsonFields& trial);
// Only whether it is.
Status CheckNoise(const JsonFields& trial);

}  // namespace plectl::experiment
