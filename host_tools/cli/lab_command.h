// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl lab build|boot|exec`: the emulated host.
void AddLabCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
