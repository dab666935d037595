// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/cpuid_table.h"

#include <cstring>

#include "host_tools/guests/bytes.h"

namespace plectl::guests {
namespace {

constexpr uint32_t kLeafFeatures = 0x1;
constexpr uint32_t kLeafTopology = 0xb;
constexpr uint32_t kLeafTopologyV2 = 0x1f;
constexpr uint32_t kFeaturesEbxKeep = 0x0000ffff;  // brand index, CLFLUSH size

}  // namespace

CpuidTable::CpuidTable(size_t capacity)
    : storage_(sizeof(CpuidHeader) + capacity * sizeof(kvm_cpuid_entry2)) {
  const CpuidHeader header{static_cast<uint32_t>(capacity), 0};
  std::memcpy(storage_.data(), &header, sizeof header);
}

CpuidTable::CpuidTable(std::span<const kvm_cpuid_entry2> entries) : CpuidTable(entries.size()) {
  if (!entries.empty()) {
    std::memcpy(storage_.data() + sizeof(CpuidHeader), entries.data(), entries.size_bytes());
  }
}

std::vector<kvm_cpuid_entry2> CpuidTable::Entries() const {
  const auto count = ReadObject<CpuidHeader>(storage_, 0).value().nent;
  std::vector<kvm_cpuid_entry2> entries;
  for (size_t i = 0; i < count; ++i) {
    const auto entry =
        ReadObject<kvm_cpuid_entry2>(storage_, sizeof(CpuidHeader) + i * sizeof(kvm_cpuid_entry2));
    if (entry) entries.push_back(*entry);
  }
  return entries;
}

std::vector<kvm_cpuid_entry2> CpuidForVcpu(std::vector<kvm_cpuid_entry2> supported, uint32_t vcpu,
                                           uint32_t vcpus) {
  for (kvm_cpuid_entry2& entry : supported) {
    if (entry.function == kLeafFeatures) {
      entry.ebx = (entry.ebx & kFeaturesEbxKeep) | (vcpus << 16) | (vcpu << 24);
    } else if (entry.function == kLeafTopology || entry.function == kLeafTopologyV2) {
      entry.edx = vcpu;
    }
  }
  return supported;
}

}  // namespace plectl::guests
