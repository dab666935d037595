// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace plectl::cli {

// Parses a command line of plectl and runs its command; the exit code.
int RunCommandLine(int argc, const char* const* argv, CommandContext& context);

}  // namespace plectl::cli
