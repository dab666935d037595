// SPDX-License-Identifier: Apache-2.0
// What a vCPU starts with: CPUID and registers.
#include <gtest/gtest.h>

#include "host_tools/guests/cpuid_table.h"
#include "host_tools/guests/vcpu_registers.h"

namespace plectl::guests {
namespace {

kvm_cpuid_entry2 Leaf(uint32_t function) {
  kvm_cpuid_entry2 entry{};
  entry.function = function;
  entry.eax = entry.ebx = entry.ecx = entry.edx = 0x11111111;
  return entry;
}

TEST(CpuidForVcpu, SetsTheApicIdAndNothingElse) {
  const auto table = CpuidForVcpu({Leaf(0), Leaf(1), Leaf(0xb), Leaf(0x1f)}, 5, 8);
  EXPECT_EQ(table[0].ebx, 0x11111111U);
  EXPECT_EQ(table[1].ebx, 0x05081111U);
  EXPECT_EQ(table[1].ecx, 0x11111111U);
  EXPECT_EQ(table[2].edx, 5U);
  EXPECT_EQ(table[3].edx, 5U);
}

TEST(CpuidTable, KeepsItsEntriesInTheKernelsLayout) {
  const std::vector<kvm_cpuid_entry2> entries = {Leaf(1), Leaf(2), Leaf(3)};
  CpuidTable table(entries);
  EXPECT_EQ(table.header()->nent, 3U);
  ASSERT_EQ(table.Entries().size(), 3U);
  EXPECT_EQ(table.Entries()[2].function, 3U);
  // linux/kvm.h for C: struct kvm_cpuid2 has 8 bytes before its entries.
  EXPECT_EQ(kGetSupportedCpuid, 0xc008ae05U);
  EXPECT_EQ(kSetCpuid2, 0x4008ae90U);
}

TEST(CpuidTable, NeverReadsPastItsStorage) {
  CpuidTable table(size_t{2});
  table.header()->nent = 1'000;
  EXPECT_EQ(table.Entries().size(), 2U);
}

TEST(VcpuRegisters, StartInFlatProtectedMode) {
  kvm_sregs fresh{};
  fresh.apic_base = 0xfee00900;
  fresh.efer = 0x500;
  const kvm_sregs sregs = ProtectedModeSregs(fresh);
  EXPECT_EQ(sregs.cr0 & 0x80000001, 1U);  // PE, no PG
  EXPECT_EQ(sregs.efer, 0U);
  EXPECT_EQ(sregs.apic_base, 0xfee00900U);
  EXPECT_EQ(sregs.cs.base, 0U);
  EXPECT_EQ(sregs.cs.limit, 0xffffffffU);
  EXPECT_EQ(sregs.cs.db, 1);
  EXPECT_EQ(sregs.ss.limit, 0xffffffffU);
  EXPECT_EQ(EntryRegs(0x101678).rip, 0x101678U);
  EXPECT_EQ(EntryRegs(0x101678).rflags, 2U);
}

}  // namespace
}  // namespace plectl::guests
