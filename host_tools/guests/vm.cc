// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vm.h"

#include <fmt/format.h>

#include "host_tools/guests/cpuid_table.h"
#include "host_tools/guests/kvm_ioctl.h"

namespace plectl::guests {
namespace {

// Four pages that KVM needs on Intel CPUs without unrestricted guest mode, below the BIOS area and
// outside of guest memory (Documentation/virt/kvm/api.rst, 4.38 and 4.41).
constexpr uint64_t kIdentityMapAddress = 0xfffbc000;
constexpr uint64_t kTssAddress = 0xfffbd000;

}  // namespace

Result<Vm> Vm::Create(const Kvm& kvm, const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(GuestMemory memory, GuestMemory::Create(options.memory_size));
  PLECTL_ASSIGN_OR_RETURN(Fd fd, kvm.CreateVm());
  Vm vm(std::move(fd), std::move(memory));
  PLECTL_RETURN_IF_ERROR(vm.SetUpPlatform(options));
  PLECTL_RETURN_IF_ERROR(vm.AddVcpus(kvm, options));
  return vm;
}

// Before the first vCPU: later it fails (Linux 6.13) or does nothing for those that exist.
Status Vm::DisablePauseExits() {
  PLECTL_ASSIGN_OR_RETURN(const int exits,
                          KVM_IOCTL_VALUE(fd_, KVM_CHECK_EXTENSION, KVM_CAP_X86_DISABLE_EXITS));
  if ((exits & KVM_X86_DISABLE_EXITS_PAUSE) == 0) {
    return Environment(
        "this KVM cannot disable the PAUSE exits of a VM (KVM_CAP_X86_DISABLE_EXITS)",
        "leave the arm pause_exits_disabled out of the plan; ple_gap 0 does the same "
        "for all VMs");
  }
  kvm_enable_cap capability{};
  capability.cap = KVM_CAP_X86_DISABLE_EXITS;
  capability.args[0] = KVM_X86_DISABLE_EXITS_PAUSE;
  return KVM_IOCTL(fd_, KVM_ENABLE_CAP, &capability);
}

Status Vm::SetUpPlatform(const Options& options) {
  uint64_t identity_map = kIdentityMapAddress;
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL(fd_, KVM_SET_IDENTITY_MAP_ADDR, &identity_map));
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL_VALUE(fd_, KVM_SET_TSS_ADDR, kTssAddress));
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL_VALUE(fd_, KVM_CREATE_IRQCHIP, 0));
  if (options.pause_exits_disabled) PLECTL_RETURN_IF_ERROR(DisablePauseExits());
  if (options.first_vcpu != 0) {
    PLECTL_RETURN_IF_ERROR(KVM_IOCTL_VALUE(fd_, KVM_SET_BOOT_CPU_ID, options.first_vcpu));
  }
  kvm_userspace_memory_region region{};
  region.memory_size = memory_.size();
  region.userspace_addr = memory_.host_address();
  return KVM_IOCTL(fd_, KVM_SET_USER_MEMORY_REGION, &region);
}

Status Vm::AddVcpus(const Kvm& kvm, const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const size_t map_size, kvm.VcpuMapSize());
  PLECTL_ASSIGN_OR_RETURN(const auto cpuid, kvm.SupportedCpuid());
  for (uint32_t id = options.first_vcpu; id < options.first_vcpu + options.vcpus; ++id) {
    PLECTL_ASSIGN_OR_RETURN(const int fd, KVM_IOCTL_VALUE(fd_, KVM_CREATE_VCPU, id));
    PLECTL_ASSIGN_OR_RETURN(Vcpu vcpu, Vcpu::Create(Fd(fd), map_size));
    PLECTL_RETURN_IF_ERROR(vcpu.SetCpuid(CpuidForVcpu(cpuid, id, options.vcpus)));
    if (options.has_host_tsc) PLECTL_RETURN_IF_ERROR(vcpu.SetTscOffset(0));
    vcpus_.push_back(std::move(vcpu));
  }
  return vcpus_.front().SetEntry(options.entry);
}

}  // namespace plectl::guests
