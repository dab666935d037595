// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace plectl::cli {

struct CommandContext;

// `plectl selftest`: tries on this host what plectl assumes of one.
void AddSelftestCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
