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
const volatile __u32 vmcb_offset = 0;
const volatile __u32 exit_code_offset = 0;

// What runs at every exit costs the guest, so every instruction counts: a program for each vendor,
// and what happens once per vCPU in functions of their own, so that the usual way saves no
// registers for them.

// What cannot be read is in the shared slot, since a helper's error is a negative number: user
// space takes what is there for lost. A branch would cost every exit more.
static __always_inline __u64 vmx_reason(const void* vcpu) {
  __u16 reason;  // 31:16 of the field are flags (SDM vol. 3, 25.9.1)
  const long error = bpf_probe_read_kernel(&reason, sizeof(reason), vcpu + exit_code_offset);
  return reason | (__u64)error;
}

static __always_inline __u64 svm_code(const void* vcpu) {
  const void* vmcb;
  __u32 low;
  if (bpf_probe_read_kernel(&vmcb, sizeof(vmcb), vcpu + vmcb_offset) != 0) return ~0ULL;
  const long error = bpf_probe_read_kernel(&low, sizeof(low), vmcb + exit_code_offset);
  return low | (__u64)error;
}

// VMX's basic reasons are all direct slots.
static __always_inline int count_vmx(struct VcpuRow* row, __u64 slot) {
  if (slot > kOtherSlot) slot = kOtherSlot;
  row->exits[slot]++;
  return 0;
}

static __always_inline int count_svm(struct VcpuRow* row, __u64 code) {
  __u64 slot = slot_of_exit_code(code);
  barrier_var(slot);  // or the compiler leaves out the comparison, which the verifier needs
  if (slot < kExitSlots) row->exits[slot]++;
  return 0;
}

static __noinline int first_vmx_exit(struct VcpuRow* row, const struct kvm_vcpu* vcpu) {
  if (!take_row(row, vcpu, (__u32)vcpu->vcpu_id)) return 0;
  return count_vmx(row, vmx_reason(vcpu));
}

static __noinline int first_svm_exit(struct VcpuRow* row, const struct kvm_vcpu* vcpu) {
  if (!take_row(row, vcpu, (__u32)vcpu->vcpu_id)) return 0;
  return count_svm(row, svm_code(vcpu));
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_vmx_exit, struct kvm_vcpu* vcpu) {
  if (!vcpu) return 0;  // the verifier of newer kernels takes a tracepoint's pointer for nullable
  struct VcpuRow* row = row_at((__u32)vcpu->vcpu_id);
  if (!is_row_of(row, vcpu)) return first_vmx_exit(row, vcpu);
  return count_vmx(row, vmx_reason(vcpu));
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_svm_exit, struct kvm_vcpu* vcpu) {
  if (!vcpu) return 0;
  struct VcpuRow* row = row_at((__u32)vcpu->vcpu_id);
  if (!is_row_of(row, vcpu)) return first_svm_exit(row, vcpu);
  return count_svm(row, svm_code(vcpu));
}

// Fires only when the window changes. There is no vCPU in its arguments, but it is always fired by
// the thread that runs the vCPU: on its PAUSE exits, or while it is scheduled in.
static __always_inline struct VcpuRow* row_of_current_thread(__u32 index) {
  struct VcpuRow* row = row_at(index);
  const __u64 task = bpf_get_current_task();
  if (row->task == task) return row;
  if (row->task != 0 || !is_armed_thread(index)) return 0;
  row->task = task;
  return row;
}

struct WindowLog window_logs[kMaxVcpus] = {};

static __always_inline void log_window(struct WindowLog* log, __u32 old_window, __u32 new_window) {
  __u64 at = window_log_index(log->changes++);
  barrier_var(at);  // or the compiler leaves out the comparison, which the verifier needs
  if (at >= kFirstChanges + kLastChanges) return;
  log->entries[at].time_ns = bpf_ktime_get_ns();
  log->entries[at].old_window = old_window;
  log->entries[at].new_window = new_window;
  if (log->max < old_window) log->max = old_window;
  if (log->max < new_window) log->max = new_window;
}

static __always_inline int count_window_update(__u32 vcpu_id, __u32 old_window, __u32 new_window) {
  struct VcpuRow* row = row_of_current_thread(vcpu_id);
  if (!row) return 0;
  log_window(&window_logs[vcpu_id & (kMaxVcpus - 1)], old_window, new_window);
  if (new_window > old_window)
    row->window_growths++;
  else
    row->window_shrinks++;
  return 0;
}

SEC("tp_btf/kvm_ple_window_update")
int BPF_PROG(on_window_update, __u32 vcpu_id, __u32 new_window, __u32 old_window) {
  return count_window_update(vcpu_id, old_window, new_window);
}

// Tracepoints leave preemption on in newer kernels (Linux 7.2 does), and KVM changes windows with
// preemption on. So another vCPU can get the CPU amid the program above, which the kernel then
// skips for it. perf's own tracepoints turn preemption off for their programs. Exits and entries
// need no such twin: they are told of with interrupts off.
struct trace_event_raw_kvm_ple_window_update {
  unsigned int vcpu_id;
  unsigned int new;
  unsigned int old;
} __attribute__((preserve_access_index));

SEC("tracepoint/kvm/kvm_ple_window_update")
int on_window_event(const struct trace_event_raw_kvm_ple_window_update* event) {
  return count_window_update(event->vcpu_id, event->old, event->new);
}

// PAUSE exits where KVM handles them: both vendor modules call kvm_vcpu_on_spin() once per PAUSE
// exit and for no other exit of a guest without Hyper-V hypercalls. Other exits pay nothing.
static __noinline int first_pause_exit(struct VcpuRow* row, const void* vcpu, __u32 index) {
  if (take_row(row, vcpu, index)) row->pause_exits++;
  return 0;
}

// User space attaches the first one that the kernel takes.
SEC("fentry/kvm_vcpu_on_spin")
int BPF_PROG(on_spin_fentry, const struct kvm_vcpu* vcpu) {
  struct VcpuRow* row = row_at((__u32)vcpu->vcpu_id);
  if (!is_row_of(row, vcpu)) return first_pause_exit(row, vcpu, (__u32)vcpu->vcpu_id);
  row->pause_exits++;
  return 0;
}

SEC("kprobe/kvm_vcpu_on_spin")
int BPF_KPROBE(on_spin_kprobe, const struct kvm_vcpu* vcpu) {
  __u32 index;  // without it the exit is not counted, and KVM's own count tells
  if (bpf_core_read(&index, sizeof(index), &vcpu->vcpu_id) != 0) return 0;
  struct VcpuRow* row = row_at(index);
  if (!is_row_of(row, vcpu)) return first_pause_exit(row, vcpu, index);
  row->pause_exits++;
  return 0;
}

#include "host_tools/host/bpf/exit_details.bpf.h"

char LICENSE[] SEC("license") = "GPL";
