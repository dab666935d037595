/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>

#include "host_tools/host/bpf/exit_slots.h"

/* After linux/bpf.h, whose types it uses. */
#include <bpf/bpf_helpers.h>

struct kvm_vcpu_arch {
  unsigned long regs[17];
} __attribute__((preserve_access_index));

struct kvm_vcpu {
  int vcpu_id;
  struct kvm_vcpu_arch arch;
} __attribute__((preserve_access_index));

/* Since Linux 7.2 RIP is no longer the last of `regs`. What follows ___ is no part of the name. */
struct kvm_vcpu_arch___rip_apart {
  unsigned long rip;
} __attribute__((preserve_access_index));

struct kvm_vcpu___rip_apart {
  struct kvm_vcpu_arch___rip_apart arch;
} __attribute__((preserve_access_index));

/* Identify the pid namespace of user space: st_dev (kernel encoding) and st_ino of
 * /proc/self/ns/pid. Inside a container, the ids that the kernel uses by itself are others. */
const volatile __u64 pid_namespace_dev = 0;
const volatile __u64 pid_namespace_inode = 0;

struct ArmedVcpus armed = {};
struct VcpuRow rows[kMaxVcpus] = {};

static __always_inline bool is_armed_thread(__u32 index) {
  struct bpf_pidns_info ids = {};
  if (index >= armed.vcpus) return false;
  index &= kMaxVcpus - 1; /* for the verifier: armed.vcpus is at most kMaxVcpus */
  barrier_var(index);     /* or the compiler reads with what was before the mask */
  if (bpf_get_ns_current_pid_tgid(pid_namespace_dev, pid_namespace_inode, &ids, sizeof(ids)) != 0)
    return false; /* a thread of another pid namespace */
  return (int)ids.pid == armed.tids[index] && (int)ids.tgid == armed.tgid;
}

/* Where vCPU `index` is counted, if it is armed. The mask is for the verifier: another vCPU that it
 * leads to a row has another address. */
static __always_inline struct VcpuRow* row_at(__u32 index) {
  struct VcpuRow* row = &rows[index & (kMaxVcpus - 1)];
  barrier_var(row); /* or the compiler computes it again at every use */
  return row;
}

/* Whether an event of `vcpu` is counted in `row`. Asking for the thread id costs a helper call, so
 * it is done once per vCPU (take_row()): from then on the vCPU is known by its address, which no
 * other vCPU of any VM can have while this one exists. */
static __always_inline bool is_row_of(const struct VcpuRow* row, const void* vcpu) {
  return row->vcpu == (__u64)vcpu;
}

/* Gives a free row to the vCPU when its thread is armed. */
static __always_inline bool take_row(struct VcpuRow* row, const void* vcpu, __u32 index) {
  if (row->vcpu != 0 || !is_armed_thread(index)) return false;
  row->vcpu = (__u64)vcpu;
  row->task = bpf_get_current_task();
  return true;
}
