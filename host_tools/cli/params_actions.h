// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::cli {

// Prints the parameters of the loaded module, whether PLE can fire, and the journal's state.
// `format` is "text" or "json".
Status ShowParams(const HostRoot& root, const std::string& format);

// Reloads the module with the NAME=VALUE pairs over its present values and leaves the journal, so
// that RestoreParams() brings them back. The pairs are checked before the host is looked at. A dry
// run makes every check and prints the change.
Status SetParams(const HostRoot& root, const std::vector<std::string>& assignments, bool dry_run);

// Brings back what the journal holds; nothing to do is a success. A dry run prints what is to be
// done.
Status RestoreParams(const HostRoot& root, bool dry_run);

}  // namespace plectl::cli
