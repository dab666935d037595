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
  PLECTL_RETURN_IF_ERROR(vm.SetUpPlatform());
  PLECTL_RETURN_IF_ERROR(vm.AddVcpus(kvm, options));
  return vm;
}

Status Vm::SetUpPlatform() {
  uint64_t identity_map = kIdentityMapAddress;
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL(fd_, KVM_SET_IDENTITY_MAP_ADDR, &identity_map));
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL_VALUE(fd_, KVM_SET_TSS_ADDR, kTssAddress));
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL_VALUE(fd_, KVM_CREATE_IRQCHIP, 0));
  kvm_userspace_memory_region region{};
  region.memory_size = memory_.size();
  region.userspace_addr = memory_.host_address();
  return KVM_IOCTL(fd_, KVM_SET_USER_MEMORY_REGION, &region);
}

Status Vm::AddVcpus(const Kvm& kvm, const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const size_t map_size, kvm.VcpuMapSize());
  PLECTL_ASSIGN_OR_RETURN(const auto cpuid, kvm.SupportedCpuid());
  for (uint32_t id = 0; id < options.vcpus; ++id) {
    PLECTL_ASSIGN_OR_RETURN(const int fd, KVM_IOCTL_VALUE(fd_, KVM_CREATE_VCPU, id));
    PLECTL_ASSIGN_OR_RETURN(Vcpu vcpu, Vcpu::Create(Fd(fd), map_size));
    PLECTL_RETURN_IF_ERROR(vcpu.SetCpuid(CpuidForVcpu(cpuid, id, options.vcpus)));
    vcpus_.push_back(std::move(vcpu));
  }
  return vcpus_.front().SetEntry(options.entry);
}

}  // namespace plectl::guests
