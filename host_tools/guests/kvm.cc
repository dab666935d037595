// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/kvm.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "host_tools/guests/cpuid_table.h"
#include "host_tools/guests/kvm_ioctl.h"

namespace plectl::guests {
namespace {

constexpr const char* kDevice = "/dev/kvm";

struct Capability {
  unsigned long number;
  std::string_view name;
};

// IMMEDIATE_EXIT, the youngest, came with Linux 4.13.
constexpr std::array kNeeded = {
    Capability{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
    Capability{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    Capability{KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    Capability{KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR"},
    Capability{KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    Capability{KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    Capability{KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ"},
    Capability{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
};

std::string_view OpenHint(int error_number) {
  if (error_number == EACCES || error_number == EPERM) {
    return "run as root, or join the group that owns /dev/kvm (usually kvm)";
  }
  return "load kvm_intel or kvm_amd, or use the emulated host: --host lab";
}

}  // namespace

Result<Kvm> Kvm::Open() {
  Fd fd(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (!fd.valid()) {
    const int error_number = errno;
    return SystemFailure(fmt::format("open {}", kDevice), error_number,
                         std::string(OpenHint(error_number)));
  }
  Kvm kvm(std::move(fd));
  PLECTL_RETURN_IF_ERROR(kvm.CheckApiVersion());
  PLECTL_RETURN_IF_ERROR(kvm.CheckCapabilities());
  return kvm;
}

Status Kvm::CheckApiVersion() const {
  PLECTL_ASSIGN_OR_RETURN(const int version, KVM_IOCTL_VALUE(fd_, KVM_GET_API_VERSION, 0));
  if (version == KVM_API_VERSION) return OkStatus();
  return Environment(
      fmt::format("{} speaks API version {}, expected {}", kDevice, version, KVM_API_VERSION),
      "use a kernel with the stable KVM API (2.6.22 or newer)");
}

Status Kvm::CheckCapabilities() const {
  for (const Capability& capability : kNeeded) {
    PLECTL_ASSIGN_OR_RETURN(const int supported,
                            KVM_IOCTL_VALUE(fd_, KVM_CHECK_EXTENSION, capability.number));
    if (supported != 0) continue;
    return Environment(fmt::format("{} lacks {}", kDevice, capability.name),
                       "use Linux 4.13 or newer on x86-64 with kvm_intel or kvm_amd");
  }
  return OkStatus();
}

Result<Fd> Kvm::CreateVm() const {
  PLECTL_ASSIGN_OR_RETURN(const int fd, KVM_IOCTL_VALUE(fd_, KVM_CREATE_VM, 0));
  return Fd(fd);
}

Result<size_t> Kvm::VcpuMapSize() const {
  PLECTL_ASSIGN_OR_RETURN(const int size, KVM_IOCTL_VALUE(fd_, KVM_GET_VCPU_MMAP_SIZE, 0));
  if (static_cast<size_t>(size) < sizeof(kvm_run)) {
    return Environment(
        fmt::format("kvm_run has {} bytes, expected at least {}", size, sizeof(kvm_run)));
  }
  return static_cast<size_t>(size);
}

Result<std::vector<kvm_cpuid_entry2>> Kvm::SupportedCpuid() const {
  CpuidTable table(CpuidTable::kCapacity);
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL(fd_, kGetSupportedCpuid, table.header()));
  return table.Entries();
}

}  // namespace plectl::guests
