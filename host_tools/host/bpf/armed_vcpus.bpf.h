/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>

#include "host_tools/host/bpf/exit_slots.h"

/* After linux/bpf.h, whose types it uses. */
#include <bpf/bpf_helpers.h>

struct kvm_vcpu {
  int vcpu_id;
} __attribute__((preserve_access_index));

/* Identify the pid namespace of user space: st_dev (kernel encoding) and st_ino of
 * /proc/self/ns/pid. Inside a container, the ids that the kernel uses by itself are others. */
const volatile __u64 pid_namespace_dev = 0;
const volatile __u64 pid_namespace_inode = 0;

struct ArmedVcpus armed = {};

static __always_inline bool is_armed_thread(__u32 index) {
  struct bpf_pidns_info ids = {};
  if (bpf_get_ns_current_pid_tgid(pid_namespace_dev, pid_namespace_inode, &ids, sizeof(ids)) != 0)
    return false; /* a thread of another pid namespace */
  return (int)ids.pid == armed.tids[index] && (int)ids.tgid == armed.tgid;
}

/* Whether an event of `vcpu` counts. Asking for the thread id costs a helper call, so it is done
 * once per vCPU: from then on the vCPU is known by its address, which no other vCPU of any VM can
 * have while this one exists. A thread runs one vCPU, so only one CPU at a time writes an entry. */
static __always_inline bool is_armed_vcpu(const void* vcpu, __u32 index) {
  if (index >= armed.vcpus) return false;
  index &= kMaxVcpus - 1; /* for the verifier: armed.vcpus is at most kMaxVcpus */
  if (armed.known_vcpus[index] == (__u64)vcpu) return true;
  if (armed.known_vcpus[index] != 0 || !is_armed_thread(index)) return false;
  armed.known_vcpus[index] = (__u64)vcpu;
  return true;
}
