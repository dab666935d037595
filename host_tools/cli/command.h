// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/observers.h"

namespace plectl::cli {

// What main() shares with every subcommand.
struct CommandContext {
  HostRoot root;
  int exit_code = 0;  // set by the command that ran
  // Attached before the command was known (the lab's agent does that), for the first that can use
  // them: opening them is most of a sweep's start-up time.
  std::optional<host::ObserverPair> standby_observers;
};

// Exit codes that are not errors (docs/architecture.md).
inline constexpr int kExitFine = 0;
inline constexpr int kExitNegativeVerdict = 1;

// Writes "plectl: MESSAGE" and, when there is one, "  next step: HINT" to stderr. Returns the exit
// code that belongs to the error's kind.
int ReportError(const Error& error);

// For a command's callback: 0, or ReportError().
int ExitCodeOf(const Status& status);

}  // namespace plectl::cli
