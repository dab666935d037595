// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl doctor`: what keeps PLE from being measured or set on this host, and the fix.
void AddDoctorCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
