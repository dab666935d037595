// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// The living kprobes on functions of a vendor's module, "handle_pause+0x0", whoever put them there.
// None of them holds the module: when it is unloaded they die ([GONE]), without a word to their
// owner. From debugfs' kprobes/list, or where that is not mounted from tracefs' kprobe_events,
// which lacks those of perf and BPF; nothing where neither can be read. We have none there
// ourselves.
std::vector<std::string> KprobesOn(const HostRoot& root, KvmModule module);

// An Environment error that names them, if there are any. To be asked before an unload.
Status CheckNoKprobesOn(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
