// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "host_tools/host/exit_counter.h"

namespace plectl::host {

// What a manifest calls it when no observer watches.
inline constexpr std::string_view kNoObserverName = "none";
// Why it has no counts.
inline constexpr std::string_view kNoObserverBecause = "no observer was attached (--observer none)";

// Attaches nothing, thus costs the guest nothing: every count is missing and says that this was
// asked for. Shows what the other observers change.
std::unique_ptr<ExitCounter> MakeAbsentCounter();

}  // namespace plectl::host
