// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace plectl::cli {

struct CommandContext;

// `plectl calibrate`: what a PAUSE costs on this host, at which gap PLE sees which loop, and what
// observing an exit costs.
void AddCalibrateCommand(CLI::App& app, CommandContext& context);

// `plectl lab-calibrate`: what the lab runs for it, with the options of its request file.
void AddLabCalibrateCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
