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

// BadInput that names the first option of the lab that was given though `in_lab` is false: it would
// be dropped without a word.
Status CheckLabOptionsHaveALab(const CLI::App& command, bool in_lab);

// What a PAUSE costs the guests of this lab: as the lab's CPU profile says, or as
// --relax-tsc-cycles does. BadInput when both are there and differ.
Result<uint64_t> RelaxTscCyclesInLab(uint64_t given, const lab::LabOptions& options);

}  // namespace plectl::cli
