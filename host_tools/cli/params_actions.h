// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::cli {

// Prints the parameters of the loaded module, whether PLE can fire, and the journal's state.
// `format` is "text" or "json".
Status ShowParams(const HostRoot& root, const std::string& format);

// How `plectl params` changes the host.
struct ParamsOptions {
  bool dry_run = false;          // make every check, print the change, change nothing
  bool persist = false;          // of set: also for the module's next loads, in modprobe.d
  bool keep_persisted = false;   // of restore: leave what lasts, for the start of the machine
  std::chrono::seconds wait{0};  // for the users of the module to go away, before a reload
};

// Reloads the module with the NAME=VALUE pairs over its present values and leaves the journal, so
// that RestoreParams() brings them back. The pairs are checked before the host is looked at.
Status SetParams(const HostRoot& root, const std::vector<std::string>& assignments,
                 const ParamsOptions& options);

// Brings back what the journal holds, and removes what SetParams() made to last; nothing to do is a
// success. The exit code: 1 when the module's parameters are known not to be the originals.
Result<int> RestoreParams(const HostRoot& root, const ParamsOptions& options);

}  // namespace plectl::cli
