// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace plectl::cli {

struct CommandContext;

// `plectl selftest`: tries on this host what plectl assumes of one.
void AddSelftestCommand(CLI::App& app, CommandContext& context);

// `plectl lab-selftest`: what the lab runs for it, with the options of its request file.
void AddLabSelftestCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
