// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/host/bpf_programs.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// "bpf-exit": all exits by reason and vCPU, and the window updates, counted by BPF programs on
// KVM's tracepoints (bpf/exit_counter.bpf.c).
std::unique_ptr<ExitCounter> MakeBpfExitCounter(KvmModule module,
                                                std::shared_ptr<BpfPrograms> programs);

}  // namespace plectl::host
