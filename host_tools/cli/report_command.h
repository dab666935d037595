// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl report RUN [--format text|csv|json]`: what a run measured. Exit code 5 when it holds no
// valid trial.
void AddReportCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
