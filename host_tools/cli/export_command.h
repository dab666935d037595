// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl export RUN --format gbench [--out FILE]`: a run's trials in another program's format, to
// stdout or into FILE. Exit code 5, and nothing written, when it holds no valid trial.
void AddExportCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
