// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl docs`: prints the pages and plans that are part of the program.
void AddDocsCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
