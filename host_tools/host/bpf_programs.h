// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/bpf/exit_counter.skel.h"
#include "host_tools/host/bpf_support.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// How the PAUSE exits are caught at the entry of kvm_vcpu_on_spin().
enum class OnSpinHook { kFentry, kKprobe };

// The programs of bpf/exit_counter.bpf.c, attached. One object for both BPF counters: libbpf reads
// all type information of the kernel for each object, which takes longer than everything else.
struct BpfPrograms {
  SkeletonPtr<exit_counter> skeleton;
  OnSpinHook on_spin = OnSpinHook::kFentry;
};

// Loads and attaches them; `module` must be loaded now, and may be reloaded later. By fentry, or
// where the kernel does not have it by kprobe. Environment error when this kernel or user may not.
Result<std::shared_ptr<BpfPrograms>> LoadBpfPrograms(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
