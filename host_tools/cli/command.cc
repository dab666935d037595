// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/command.h"

#include <fmt/core.h>

#include <cstdio>

namespace plectl::cli {

int ReportError(const Error& error) {
  fmt::print(stderr, "plectl: {}\n", error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  next step: {}\n", error.hint);
  return static_cast<int>(error.kind);
}

int ExitCodeOf(const Status& status) { return status ? kExitFine : ReportError(status.error()); }

}  // namespace plectl::cli
