// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// "bpf-exit": all exits by reason and vCPU, and the window updates, counted by BPF programs on
// KVM's tracepoints (bpf/exit_counter.bpf.c). `module` must be loaded now; it may be reloaded
// later. Environment error when this kernel or user may not.
Result<std::unique_ptr<ExitCounter>> OpenBpfExitCounter(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
