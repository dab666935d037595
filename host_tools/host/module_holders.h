// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"
#include "host_tools/host/vm_names.h"

namespace plectl::host {

// One process that holds, or may hold, the module.
struct Holder {
  pid_t pid = 0;
  ProgramIdentity identity;
  std::string what;  // "/dev/kvm", "kvm-vm", "kvm-vcpu:0", "perf_event", "bpf-link on kvm_exit"
};

// "1234 (qemu-system-x86, kvm-vm)", "1234 (qemu-system-x86, kvm-vm, libvirt domain web1)" or
// "1234 (firecracker, kvm-vm, VM web1)".
std::string HolderText(const Holder& holder);

// How to end them: "virsh shutdown web1" for domains of this host's libvirt, else by PID. For
// holders of KVM files.
std::string HowToEnd(const std::vector<Holder>& holders);

// Why there may be holders that cannot be seen: another user's, outside of the container; or "".
std::string WhyHoldersUnseen(const HostRoot& root);
// The step where no holder is seen, given why.
std::string StepForUnknownHolder(const std::string& unseen);

// Every process with an open KVM file: the device, a VM, a vCPU or a VM's device. Each such file
// pins kvm_intel or kvm_amd, since kvm gives them that module as owner (virt/kvm/kvm_main.c). One
// entry per process. Only root sees all of them.
Result<std::vector<Holder>> KvmFileHolders(const HostRoot& root);

// The processes that have a VM or a vCPU open.
Result<std::vector<pid_t>> VmProcesses(const HostRoot& root);

// Every process with a perf event or a BPF link: these pin a module only when they are attached to
// its functions or tracepoints, which /proc tells of BPF links to raw tracepoints only.
Result<std::vector<Holder>> TracingHolders(const HostRoot& root);

// How many references keep the module loaded. Nothing for a built-in module.
Result<std::optional<uint64_t>> ModuleReferences(const HostRoot& root, KvmModule module);

// Waits until nothing refers to the module: the kernel drops a closed VM's last references a little
// later. After `timeout`, an Environment error that names the holders.
Status WaitUntilUnused(const HostRoot& root, KvmModule module, std::chrono::milliseconds timeout);

}  // namespace plectl::host
