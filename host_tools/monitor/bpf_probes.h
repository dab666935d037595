// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"
#include "host_tools/monitor/kernel_counts.h"

namespace plectl::monitor {

struct ProbeOptions {
  uint32_t threads_max =
      32768;  // vCPU threads that are counted; memory is taken for those there are
  bool exit_times = true;
};

// Attaches the programs of bpf/kvm_monitor.bpf.c to kvm.ko until the result is destroyed: kvm.ko
// cannot be unloaded while it exists, kvm_intel and kvm_amd can. `module` must be loaded now, and
// may be reloaded later. Environment error when this kernel or user may not; the hint says what is
// missing.
Result<std::unique_ptr<KernelCounts>> AttachBpfProbes(const HostRoot& root, host::KvmModule module,
                                                      const ProbeOptions& options);

// The kernel keeps run-time statistics of all BPF programs while this exists. Needs CAP_SYS_ADMIN.
Result<Fd> EnableBpfStatistics();

}  // namespace plectl::monitor
