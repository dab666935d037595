// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

struct btf;

namespace plectl::host {

// Where a vendor module keeps the reason of the last VM exit, in bytes. The struct kvm_vcpu that
// KVM's tracepoints pass is the first member of the vendor's structure.
struct ExitCodeLocation {
  uint32_t vmcb_offset = 0;       // SVM: of the pointer to the VMCB in struct vcpu_svm; VMX: 0
  uint32_t exit_code_offset = 0;  // VMX: in struct vcpu_vmx; SVM: in the VMCB

  friend bool operator==(const ExitCodeLocation&, const ExitCodeLocation&) = default;
};

// Looks the members up by name in the type information of a module: vcpu_vmx.exit_reason (Linux
// 6.15 and later: vcpu_vmx.vt.exit_reason), or vcpu_svm.vmcb and vmcb.control.exit_code. An
// Environment error names what is not there.
Result<ExitCodeLocation> FindExitCode(const btf& types, KvmModule module);

// What BPF programs that know no type of KVM's must be told.
struct VcpuLayout {
  ExitCodeLocation exit_code;
  uint32_t vcpu_id_offset = 0;  // in struct kvm_vcpu
  // Which argument of the tracepoint kvm_exit is the vCPU: the second before Linux 5.16, which
  // began with the reason.
  uint32_t exit_vcpu_argument = 0;
  // The same of kvm_entry; nothing before 5.11, which passed a number.
  std::optional<uint32_t> entry_vcpu_argument = 0;

  friend bool operator==(const VcpuLayout&, const VcpuLayout&) = default;
};
// `types`: of the vendor's module; `kvm_types`: of kvm, which has the tracepoints.
Result<VcpuLayout> FindVcpuLayout(const btf& types, const btf& kvm_types, KvmModule module);
// From /sys/kernel/btf of a host whose `module` is loaded or built in.
Result<VcpuLayout> FindVcpuLayout(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
