/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the BPF programs and their reader in user space share: memory layout, nothing else. */
#pragma once

#include <linux/types.h>

enum {
  kMaxVcpus = 64,
  /* Exit codes have their own slot where they are dense: 0..255 (all VMX basic reasons, SVM up to
   * INVPCID) and 0x400..0x40f (SVM's NPF, AVIC, VMGEXIT). All others share the last slot, with
   * those that could not be read, so that no exit is ever dropped. */
  kDirectSlots = 256,
  kSvmHighCodeFirst = 0x400,
  kSvmHighCodes = 16,
  kOtherSlot = kDirectSlots + kSvmHighCodes,
  kExitSlots = kOtherSlot + 1,
};

static inline __u64 slot_of_exit_code(__u64 code) {
  if (code < kDirectSlots) return code;
  if (code - kSvmHighCodeFirst < kSvmHighCodes) return code - kSvmHighCodeFirst + kDirectSlots;
  return kOtherSlot;
}

/* Which vCPU threads are counted. User space writes it while all of them are parked outside the
 * guest; `vcpus` last when arming and first when disarming. */
struct ArmedVcpus {
  __u32 vcpus; /* 0: no vCPU that is not known yet is counted */
  __s32 tgid;  /* thread ids as in the pid namespace of user space */
  __s32 tids[kMaxVcpus];
};

/* How a vCPU's window changed: the first changes in order, then a ring of the last ones. */
enum { kFirstChanges = 128, kLastChanges = 128 };
struct WindowLogEntry {
  __u64 time_ns; /* CLOCK_MONOTONIC */
  __u32 old_window;
  __u32 new_window;
};
struct WindowLog {
  __u64 changes; /* all of them; entry of change n: window_log_index(n) */
  __u64 max;
  struct WindowLogEntry entries[kFirstChanges + kLastChanges];
};

static inline __u64 window_log_index(__u64 change) {
  if (change < kFirstChanges) return change;
  return kFirstChanges + (change - kFirstChanges) % kLastChanges;
}

/* Only when asked for: how long the host handled the exits of each slot. */
enum { kTimeBuckets = 32 };
struct SlotTimes {
  __u64 count;
  __u64 unfinished;
  __u64 total_ns;
  __u64 min_ns; /* nothing when count is 0 */
  __u64 max_ns;
  __u64 log2_ns[kTimeBuckets]; /* the last one also holds all that is longer */
};
struct VcpuTimes {
  struct SlotTimes slots[kExitSlots];
};

/* Only when asked for: where PAUSE exits happened. */
enum { kRipsMax = 64 };
struct RipCount {
  __u64 rip;
  __u64 exits; /* 0: the entry is free */
};
struct VcpuRips {
  __u64 other; /* exits that found no entry */
  struct RipCount entries[kRipsMax];
};

/* Only when asked for: what became of the calls of kvm_vcpu_on_spin(). */
struct VcpuYields {
  __u64 on_spin_calls;
  __u64 without_candidate;
  __u64 attempts;
  __u64 succeeded;
  __u64 refused;    /* 0 */
  __u64 not_needed; /* -ESRCH */
  __u64 failed;
  __u64 attempts_before; /* at the end of the last call of kvm_vcpu_on_spin() */
  __u64 boosted[kMaxVcpus];
  __u64 target; /* of the attempt that is on its way, where only its end has the result */
};

/* What is known of one vCPU beyond its counts; one writer too. */
struct VcpuDetail {
  __u64 exit_ns;
  __u64 exit_slot_plus_1; /* of the exit that waits for its entry; 0: none */
  struct VcpuRips rips;
  struct VcpuYields yields;
};

/* What is counted of one vCPU. One writer: a vCPU runs in one thread, and that on one CPU at a
 * time. So plain increments are exact, also when the thread migrates between two of them. */
struct VcpuRow {
  /* Its struct kvm_vcpu and the task_struct of its thread, 0 until its first event: written by the
   * BPF programs, cleared by user space. */
  __u64 vcpu;
  __u64 task;
  __u64 pause_exits; /* counted apart from `exits` */
  __u64 window_growths;
  __u64 window_shrinks;
  __u64 exits[kExitSlots];
};
