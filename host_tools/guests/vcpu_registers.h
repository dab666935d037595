// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>

#include <cstdint>

namespace plectl::guests {

// `sregs` as read from a fresh vCPU, changed to what a PVH loader leaves behind: 32-bit flat
// protected mode, paging off (Xen's docs/misc/pvh.pandoc, SDM vol 3A, 3.4.5). A pure function.
kvm_sregs ProtectedModeSregs(kvm_sregs sregs);

// The general registers to start at `entry`. EBX would point to a PVH start_info; 0: there is none,
// the boot block says it all.
kvm_regs EntryRegs(uint32_t entry);

}  // namespace plectl::guests
