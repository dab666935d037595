// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

inline constexpr std::chrono::seconds kToolDeadline(120);

// Runs a system program (`argv[0]`, also one of /usr/sbin) in `working_directory`; its stdout. An
// Environment error when it is not there, fails, or takes longer.
Result<std::string> RunTool(std::vector<std::string> argv,
                            const std::filesystem::path& working_directory,
                            std::chrono::seconds deadline = kToolDeadline);

}  // namespace plectl::lab
