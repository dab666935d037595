// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl lab-agent`, hidden: runs the job inside the lab. For the lab's /init only.
void AddLabAgentCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
