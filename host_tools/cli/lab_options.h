// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/lab/lab_config.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// Adds --lab-cpu, --lab-kernel, --lab-engine, --lab-dir, --lab-seed, --lab-ips and the time limits
// to `command`. `options` must live as long as the command.
void AddLabOptions(CLI::App& command, lab::LabOptions& options);

// Adds --lab-disk to a command that runs something in one lab. As above.
void AddLabDiskOption(CLI::App& command, lab::LabOptions& options);

// Adds --lab-kernel-args to such a command. As above.
void AddLabKernelArgumentsOption(CLI::App& command, lab::LabOptions& options);

}  // namespace plectl::cli
