// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Counts the VM exits of the armed vCPUs by reason, their PLE window updates, and apart from these
// their PAUSE exits. All that is watched lives in kvm.ko, so the programs stay attached while
// kvm_intel or kvm_amd is reloaded.
#include "host_tools/host/bpf/armed_vcpus.bpf.h"

// After armed_vcpus.bpf.h, which brings linux/bpf.h.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <linux/ptrace.h>

// Where the vendor module keeps the exit reason, from its BTF (kvm_btf.h): at exit_code_offset in
// the vCPU (VMX), or at exit_code_offset in the VMCB to which the pointer at vmcb_offset in the
// vCPU leads (SVM). The tracepoint's own arguments do not hold it.
const volatile __u8 is_svm = 0;  // not bool: clang 14 refuses the _Bool of the C++ skeleton
const volatile __u32 vmcb_offset = 0;
const volatile __u32 exit_code_offset = 0;

// One writer each: a vCPU runs in one thread, and that on one CPU at a time. So plain increments
// are exact, also when the thread migrates between two of them.
__u64 exits[kMaxVcpus][kExitSlots] = {};
__u64 window_growths[kMaxVcpus] = {};
__u64 window_shrinks[kMaxVcpus] = {};
__u64 pause_exits[kMaxVcpus] = {};

static __always_inline __u32 exit_code_of(const void* vcpu) {
  __u64 base = (__u64)vcpu;
  __u32 code = ~0U;  // unreadable counts as "other", never as a reason
  if (is_svm && bpf_probe_read_kernel(&base, sizeof(base), (void*)(base + vmcb_offset)) != 0)
    return code;
  if (bpf_probe_read_kernel(&code, sizeof(code), (void*)(base + exit_code_offset)) != 0) return ~0U;
  return is_svm ? code : (__u16)code;  // VMX: bits 31:16 are flags (SDM vol. 3, 25.9.1)
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_kvm_exit, struct kvm_vcpu* vcpu) {
  if (!vcpu) return 0;  // the verifier of newer kernels takes a tracepoint's pointer for nullable
  __u32 index = (__u32)vcpu->vcpu_id;
  if (!is_armed_vcpu(vcpu, index)) return 0;
  __u32 slot = slot_of_exit_code(exit_code_of(vcpu));
  barrier_var(slot);  // or the compiler leaves out the mask, which the verifier needs
  exits[index & (kMaxVcpus - 1)][slot & (kExitSlots - 1)]++;
  return 0;
}

// Fires only when the window changes. There is no vCPU in its arguments, but it is always fired by
// the thread that runs the vCPU: on its PAUSE exits, or while it is scheduled in.
SEC("tp_btf/kvm_ple_window_update")
int BPF_PROG(on_window_update, __u32 vcpu_id, __u32 new_window, __u32 old_window) {
  if (vcpu_id >= armed.vcpus) return 0;
  vcpu_id &= kMaxVcpus - 1;
  if (!is_armed_thread(vcpu_id)) return 0;
  if (new_window > old_window)
    window_growths[vcpu_id]++;
  else
    window_shrinks[vcpu_id]++;
  return 0;
}

// PAUSE exits where KVM handles them: both vendor modules call kvm_vcpu_on_spin() once per PAUSE
// exit and for no other exit of a guest without Hyper-V hypercalls. Other exits pay nothing.
static __always_inline int count_pause_exit(const struct kvm_vcpu* vcpu, __u32 index) {
  if (is_armed_vcpu(vcpu, index)) pause_exits[index & (kMaxVcpus - 1)]++;
  return 0;
}

// User space attaches the first one that the kernel takes.
SEC("fentry/kvm_vcpu_on_spin")
int BPF_PROG(on_spin_fentry, struct kvm_vcpu* vcpu) {
  return count_pause_exit(vcpu, (__u32)vcpu->vcpu_id);
}

SEC("kprobe/kvm_vcpu_on_spin")
int BPF_KPROBE(on_spin_kprobe, struct kvm_vcpu* vcpu) {
  return count_pause_exit(vcpu, (__u32)BPF_CORE_READ(vcpu, vcpu_id));
}

char LICENSE[] SEC("license") = "GPL";
