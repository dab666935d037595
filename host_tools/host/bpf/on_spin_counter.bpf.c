// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Counts the PAUSE exits of the armed vCPUs where KVM handles them: kvm_vcpu_on_spin() in kvm.ko,
// which both vendor modules call once per PAUSE exit and for no other exit of a guest without
// Hyper-V hypercalls. Other exits pay nothing.
#include "host_tools/host/bpf/armed_vcpus.bpf.h"

// After armed_vcpus.bpf.h, which brings linux/bpf.h.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <linux/ptrace.h>

// One writer each, as in exit_counter.bpf.c.
__u64 pause_exits[kMaxVcpus] = {};

static __always_inline int count(const struct kvm_vcpu* vcpu, __u32 index) {
  if (is_armed_vcpu(vcpu, index)) pause_exits[index & (kMaxVcpus - 1)]++;
  return 0;
}

// User space attaches the first one that the kernel takes.
SEC("fentry/kvm_vcpu_on_spin")
int BPF_PROG(on_spin_fentry, struct kvm_vcpu* vcpu) { return count(vcpu, (__u32)vcpu->vcpu_id); }

SEC("kprobe/kvm_vcpu_on_spin")
int BPF_KPROBE(on_spin_kprobe, struct kvm_vcpu* vcpu) {
  return count(vcpu, (__u32)BPF_CORE_READ(vcpu, vcpu_id));
}

char LICENSE[] SEC("license") = "GPL";
