// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/exit_counter.h"

namespace plectl::host {

// "bpf-on-spin": the PAUSE exits by vCPU, counted by a BPF program at the entry of KVM's
// kvm_vcpu_on_spin() (bpf/on_spin_counter.bpf.c). By fentry, or where the kernel does not have it
// by kprobe; the name is then "bpf-on-spin-kprobe". Environment error when neither may be.
Result<std::unique_ptr<ExitCounter>> OpenBpfOnSpinCounter(const HostRoot& root);

}  // namespace plectl::host
