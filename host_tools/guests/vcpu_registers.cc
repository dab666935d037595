// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vcpu_registers.h"

namespace plectl::guests {
namespace {

constexpr uint64_t kCr0ProtectedMode = 0x11;  // PE and ET
constexpr uint64_t kRflagsReserved = 0x2;
constexpr uint8_t kTypeCode = 0xb;     // execute, read, accessed
constexpr uint8_t kTypeData = 0x3;     // read, write, accessed
constexpr uint8_t kTypeTssBusy = 0xb;  // 32-bit TSS, busy

kvm_segment FlatSegment(uint8_t type, uint16_t selector) {
  kvm_segment segment{};
  segment.limit = 0xffffffff;
  segment.selector = selector;
  segment.type = type;
  segment.present = 1;
  segment.db = 1;
  segment.s = 1;
  segment.g = 1;
  return segment;
}

kvm_segment TaskSegment() {
  kvm_segment segment{};
  segment.limit = 0x67;
  segment.type = kTypeTssBusy;
  segment.present = 1;
  return segment;
}

}  // namespace

kvm_sregs ProtectedModeSregs(kvm_sregs sregs) {
  const kvm_segment data = FlatSegment(kTypeData, 0x10);
  sregs.cs = FlatSegment(kTypeCode, 0x18);
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
  sregs.tr = TaskSegment();
  sregs.cr0 = kCr0ProtectedMode;
  sregs.cr4 = 0;
  sregs.efer = 0;
  return sregs;
}

kvm_regs EntryRegs(uint32_t entry) {
  kvm_regs regs{};
  regs.rip = entry;
  regs.rflags = kRflagsReserved;
  return regs;
}

}  // namespace plectl::guests
