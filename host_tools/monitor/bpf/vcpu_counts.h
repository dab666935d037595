/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the monitor's BPF programs and their reader in user space share: memory layout, nothing
 * else. */
#pragma once

#include <linux/types.h>

enum {
  /* Exit codes below kDirectCodes and the kHighCodes from kHighCodeFirst on have an entry in a
   * table that gives them a slot; user space fills it (exit_slots.h). Slot 0 is all others'. */
  kDirectCodes = 256,
  kHighCodeFirst = 0x400,
  kHighCodes = 16,
  kTableCodes = kDirectCodes + kHighCodes,
  kSlots = 112,
  kUnnamedSlot = 0,

  /* Histograms of times: bucket i counts what is below 2^(i + kFirstBucketLog2) ns and in no bucket
   * before it, the last one also all that is longer. */
  kHandlingBuckets = 24,
  kFirstBucketLog2 = 8,

  kTidBits = 22, /* PID_MAX_LIMIT */
};

/* A thread, never to be confused with a later one of the same id: its id and, above that, when it
 * started in 2^20 ns since boot. */
static inline __u64 thread_key(__u32 tid, __u64 start_boottime_ns) {
  return ((start_boottime_ns >> 20) << kTidBits) | tid;
}

struct TimeHistogram {
  __u64 total_ns;
  __u64 log2_ns[kHandlingBuckets];
};

/* What kvm_vcpu_yield_to() answered. */
enum { kYieldSucceeded, kYieldRefused, kYieldNotNeeded, kYieldFailed, kYieldResults };

/* A thread's clocks, since it began. */
struct ThreadClocks {
  __u64 run_delay_ns; /* ready, but waiting for a CPU */
  __u64 user_ns;      /* with the guest's */
  __u64 system_ns;
  __u64 guest_ns;
};

/* A vCPU that a thread runs which runs others too: all but the thread's first one. */
struct OtherVcpuKey {
  __u64 thread; /* thread_key() */
  __u64 vcpu;   /* its struct kvm_vcpu */
};

/* A vCPU as one thread runs it. One writer, the thread itself, so that plain increments are exact.
 */
struct VcpuCounts {
  __u64 start_boottime_ns;
  __u32 tgid;
  __u32 tid;
  __u32 vcpu_id;
  __u32 pending_slot; /* of the last exit; kSlots: it has been handled */
  __u64 pending_since_ns;
  __u32 ended;         /* the thread has */
  __u32 has_run_delay; /* 0 also of a thread that runs several vCPUs: it is not told whose it was */
  __u64 vcpu;          /* its struct kvm_vcpu */
  __u64 current_vcpu;  /* in the counts of a thread's first vCPU: which one exited last */
  __u64 is_other;      /* not the thread's first vCPU; such have no clocks */
  struct ThreadClocks first; /* at its first exit that was seen */
  struct ThreadClocks last;  /* at its last one, or its end */
  __u64 window_grows;
  __u64 window_shrinks;
  __u64 yields[kYieldResults]; /* while a PAUSE exit was handled */
  struct TimeHistogram pause_times;
  __u64 exits[kSlots];
};

/* Per CPU. */
struct CpuCounts {
  __u64 lost_exits; /* of threads for which there was no room */
};
