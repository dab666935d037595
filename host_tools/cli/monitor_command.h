// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl monitor`: watches all VMs of the host until a signal ends it, and serves what it sees to
// Prometheus; `--once` prints it.
void AddMonitorCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
