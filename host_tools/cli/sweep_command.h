// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl sweep PLAN --out DIR`: runs a plan on this host or in the lab.
void AddSweepCommand(CLI::App& app, CommandContext& context);

// `plectl lab-sweep`: what the lab runs for SweepInLab(), with the options of its request file.
void AddLabSweepCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
