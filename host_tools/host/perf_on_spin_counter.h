// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/exit_counter.h"

namespace plectl::host {

// "perf-on-spin": the PAUSE exits by vCPU, by perf's kprobe counters on KVM's kvm_vcpu_on_spin().
// Environment error when this kernel or user may not.
Result<std::unique_ptr<ExitCounter>> OpenPerfOnSpinCounter(const HostRoot& root);

}  // namespace plectl::host
