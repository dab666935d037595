/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the BPF programs and their reader in user space share: memory layout, nothing else. */
#pragma once

#include <linux/types.h>

enum {
  kMaxVcpus = 64,
  /* Exit codes have their own slot where they are dense: 0..255 (all VMX basic reasons, SVM up to
   * INVPCID) and 0x400..0x40f (SVM's NPF, AVIC, VMGEXIT). All others share the last slot, so that
   * no exit is ever dropped. */
  kDirectSlots = 256,
  kSvmHighCodeFirst = 0x400,
  kSvmHighCodes = 16,
  kOtherSlot = kDirectSlots + kSvmHighCodes,
  /* A power of two: the row of a vCPU is found by a shift. */
  kExitSlots = 512,
};

static inline __u32 slot_of_exit_code(__u32 code) {
  if (code < kDirectSlots) return code;
  if (code - kSvmHighCodeFirst < kSvmHighCodes) return code - kSvmHighCodeFirst + kDirectSlots;
  return kOtherSlot;
}

/* Which vCPU threads are counted. User space writes it while all of them are parked outside the
 * guest; `vcpus` last when arming and first when disarming. */
struct ArmedVcpus {
  __u32 vcpus; /* 0: count nothing */
  __s32 tgid;  /* thread ids as in the pid namespace of user space */
  __s32 tids[kMaxVcpus];
  /* The struct kvm_vcpu of each thread, 0 until its first event: written by the BPF programs. */
  __u64 known_vcpus[kMaxVcpus];
};
