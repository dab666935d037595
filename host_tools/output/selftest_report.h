// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/experiment/selftest.h"

namespace plectl::output {

// A line per check, what to do about those that did not pass, and the verdict.
std::string SelftestText(const experiment::SelftestReport& report);
// All of it, with the trials' records, for a bug report (docs/selftest.md).
std::string SelftestJson(const experiment::SelftestReport& report);

}  // namespace plectl::output
