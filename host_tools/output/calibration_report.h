// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/experiment/calibrator.h"

namespace plectl::output {

// What `plectl calibrate` found, for people.
std::string CalibrationText(const experiment::CalibrationReport& report);
// As one JSON object, "kind":"calibration".
std::string CalibrationJson(const experiment::CalibrationReport& report);

}  // namespace plectl::output
