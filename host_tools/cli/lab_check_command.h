// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl lab check`: what the emulator can do in each kind of lab.
void AddLabCheckCommand(CLI::App& lab, CommandContext& context);

}  // namespace plectl::cli
