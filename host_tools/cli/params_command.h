// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/cli/command.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// `plectl params show|set NAME=VALUE...|restore`: the PLE parameters of the loaded KVM module.
void AddParamsCommand(CLI::App& app, CommandContext& context);

}  // namespace plectl::cli
