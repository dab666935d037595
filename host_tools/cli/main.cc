// SPDX-License-Identifier: Apache-2.0
// plectl: finds, proves and guards the best KVM pause-loop-exiting settings of a host.

#include <cstdio>
#include <exception>

#include "host_tools/base/stack_limit.h"
#include "host_tools/base/standard_streams.h"
#include "host_tools/cli/command.h"
#include "host_tools/cli/command_line.h"

int main(int argc, char** argv) {
  plectl::PrepareStandardStreams();
  try {
    if (const plectl::Status stack = plectl::RaiseStackLimit(); !stack) {
      return plectl::cli::ReportError(stack.error());
    }
    plectl::cli::CommandContext context;
    return plectl::cli::RunCommandLine(argc, argv, context);
  } catch (const std::exception& error) {
    // No folder throws on purpose: this is a bug of ours or memory has run out.
    std::fprintf(stderr, "plectl: internal error: %s\n", error.what());
    return static_cast<int>(plectl::ErrorKind::kInternal);
  }
}
