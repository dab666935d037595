// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace plectl::guests {

// The fixed part of struct kvm_cpuid2. Not that type itself: its flexible array has another offset
// when a C++ compiler reads the kernel's header, and with it the numbers of its requests.
struct CpuidHeader {
  uint32_t nent;
  uint32_t padding;
};
static_assert(sizeof(CpuidHeader) == 8);

// KVM_GET_SUPPORTED_CPUID and KVM_SET_CPUID2 as C compilers see them.
inline constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, CpuidHeader);
inline constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, CpuidHeader);

// CPUID entries in the layout of those two requests: the header, then the entries.
class CpuidTable {
 public:
  // Of today's kernels (KVM_MAX_CPUID_ENTRIES).
  static constexpr size_t kCapacity = 256;

  // Room for `capacity` entries, for KVM to fill.
  explicit CpuidTable(size_t capacity);
  // Holds `entries`.
  explicit CpuidTable(std::span<const kvm_cpuid_entry2> entries);

  // For the ioctl.
  [[nodiscard]] CpuidHeader* header() { return reinterpret_cast<CpuidHeader*>(storage_.data()); }
  [[nodiscard]] std::vector<kvm_cpuid_entry2> Entries() const;

 private:
  std::vector<uint8_t> storage_;
};

// `supported` as seen by vCPU `vcpu` of `vcpus`: its APIC ID and the number of vCPUs in leaf 1, and
// the x2APIC ID in leaves 0xb and 0x1f (SDM vol 2A, CPUID). A pure function.
std::vector<kvm_cpuid_entry2> CpuidForVcpu(std::vector<kvm_cpuid_entry2> supported, uint32_t vcpu,
                                           uint32_t vcpus);

}  // namespace plectl::guests
