// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Counts, for every vCPU of the host by the thread that runs it: VM exits by reason, the time that
// the host handles them, window changes and directed yields.
//
// Raw tracepoints, and no type of KVM's own: attaching to a module by its type information needs
// CAP_SYS_ADMIN, this needs CAP_BPF and CAP_PERFMON. All that is attached to is in kvm.ko, so
// kvm_intel and kvm_amd can be reloaded beneath it.
#include <linux/bpf.h>
#include <stdbool.h>

#include "host_tools/monitor/bpf/vcpu_counts.h"

// After linux/bpf.h, whose types they use.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/ptrace.h>

struct sched_info {
  unsigned long long run_delay;
} __attribute__((preserve_access_index));

struct task_struct {
  int pid;
  int tgid;
  __u64 start_boottime;
  __u64 utime;
  __u64 stime;
  __u64 gtime;
  struct sched_info sched_info;
} __attribute__((preserve_access_index));

// From KVM's type information, which user space reads (probe_layout.h). As for the sweep's
// observer: at exit_code_offset in the vCPU (VMX), or in the VMCB to which the pointer at
// vmcb_offset leads.
const volatile __u32 vcpu_id_offset = 0;
const volatile __u32 vmcb_offset = 0;
const volatile __u32 exit_code_offset = 0;
// Which arguments of the tracepoints are the vCPU: that has changed between kernels.
const volatile __u32 exit_vcpu_argument = 0;
const volatile __u32 entry_vcpu_argument = 0;
const volatile __u8 slot_of_code[kTableCodes] = {};
const volatile __u32 pause_slot = 0;
const volatile __u8 wants_exit_times = 1;

// By thread: of the first vCPU that it ran, which mostly is its only one. Memory is taken for
// threads that there are, not for those that there may be; but at once before Linux 6.1, which
// warns of that in programs such as these.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __type(key, __u64);
  __type(value, struct VcpuCounts);
} vcpus SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __type(key, struct OtherVcpuKey);
  __type(value, struct VcpuCounts);
} other_vcpus SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kSlots);
  __type(key, __u32);
  __type(value, struct TimeHistogram);
} exit_times SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct CpuCounts);
} cpu_counts SEC(".maps");

// Where a new thread's counts begin: too big for a BPF program's stack.
const struct VcpuCounts no_counts = {.pending_slot = kSlots};

static __always_inline void count_lost_exit(void) {
  const __u32 zero = 0;
  struct CpuCounts* counts = bpf_map_lookup_elem(&cpu_counts, &zero);
  if (counts) counts->lost_exits++;
}

static __always_inline __u64 key_of(const struct task_struct* task) {
  return thread_key((__u32)task->pid, task->start_boottime);
}

static __always_inline const struct task_struct* current_thread(void) {
  return (const struct task_struct*)bpf_get_current_task_btf();
}

static __always_inline struct VcpuCounts* first_counts_of(const struct task_struct* task) {
  const __u64 key = key_of(task);
  return bpf_map_lookup_elem(&vcpus, &key);
}

static __noinline struct VcpuCounts* find_other(const void* vcpu) {
  const struct OtherVcpuKey key = {.thread = key_of(current_thread()), .vcpu = (__u64)vcpu};
  return bpf_map_lookup_elem(&other_vcpus, &key);
}

// Of a vCPU that this thread runs; 0 when it was not seen yet.
static __always_inline struct VcpuCounts* counts_of_vcpu(const void* vcpu) {
  struct VcpuCounts* first = first_counts_of(current_thread());
  if (!first || first->vcpu == (__u64)vcpu) return first;
  return find_other(vcpu);
}

// Of the vCPU that exited last in this thread.
static __always_inline struct VcpuCounts* counts_of_current(void) {
  struct VcpuCounts* first = first_counts_of(current_thread());
  if (!first || first->vcpu == first->current_vcpu) return first;
  return find_other((const void*)first->current_vcpu);
}

// Some loads at each exit; from outside, a thread's clocks would cost two files of /proc each.
static __always_inline void read_clocks(const struct task_struct* task,
                                        struct ThreadClocks* clocks) {
  if (bpf_core_field_exists(task->sched_info.run_delay))
    clocks->run_delay_ns = task->sched_info.run_delay;
  clocks->user_ns = task->utime;
  clocks->system_ns = task->stime;
  clocks->guest_ns = task->gtime;
}

static __always_inline void name_counts(struct VcpuCounts* counts, const void* vcpu, __u32 id) {
  const struct task_struct* task = current_thread();
  counts->start_boottime_ns = task->start_boottime;
  counts->tgid = (__u32)task->tgid;
  counts->tid = (__u32)task->pid;
  counts->vcpu = (__u64)vcpu;
  counts->vcpu_id = id;
}

// Once per thread, so that the usual way saves no registers for it.
static __noinline struct VcpuCounts* add_current_thread(const void* vcpu) {
  const struct task_struct* task = current_thread();
  const __u64 key = key_of(task);
  __u32 id;
  if (bpf_probe_read_kernel(&id, sizeof(id), vcpu + vcpu_id_offset) != 0) return 0;
  bpf_map_update_elem(&vcpus, &key, &no_counts, BPF_NOEXIST);
  struct VcpuCounts* counts = bpf_map_lookup_elem(&vcpus, &key);
  if (!counts) return 0;
  name_counts(counts, vcpu, id);
  counts->has_run_delay = bpf_core_field_exists(task->sched_info.run_delay);
  read_clocks(task, &counts->first);
  return counts;
}

// A thread that runs several vCPUs: rare, and so not the fast way.
static __noinline struct VcpuCounts* other_counts(const void* vcpu) {
  const struct OtherVcpuKey key = {.thread = key_of(current_thread()), .vcpu = (__u64)vcpu};
  struct VcpuCounts* counts = bpf_map_lookup_elem(&other_vcpus, &key);
  __u32 id;
  if (counts) return counts;
  if (bpf_probe_read_kernel(&id, sizeof(id), vcpu + vcpu_id_offset) != 0) return 0;
  bpf_map_update_elem(&other_vcpus, &key, &no_counts, BPF_NOEXIST);
  counts = bpf_map_lookup_elem(&other_vcpus, &key);
  if (!counts) return 0;
  name_counts(counts, vcpu, id);
  counts->is_other = 1;
  return counts;
}

static __always_inline __u32 slot_of(__u64 code) {
  if (code >= kHighCodeFirst)
    code = code - kHighCodeFirst + kDirectCodes;
  else if (code >= kDirectCodes)
    return kUnnamedSlot;
  if (code >= kTableCodes) return kUnnamedSlot;
  return slot_of_code[code];
}

static __always_inline int count_exit(const void* vcpu, __u64 code) {
  const struct task_struct* task = current_thread();
  struct VcpuCounts* first = first_counts_of(task);
  if (!first) first = add_current_thread(vcpu);
  if (!first) {
    count_lost_exit();
    return 0;
  }
  read_clocks(task, &first->last);
  first->current_vcpu = (__u64)vcpu;
  struct VcpuCounts* counts = first;
  if (first->vcpu != (__u64)vcpu) {
    first->has_run_delay = 0;
    counts = other_counts(vcpu);
    if (!counts) {
      count_lost_exit();
      return 0;
    }
  }
  const __u32 slot = slot_of(code);
  if (slot >= kSlots) return 0;  // never; for the verifier
  counts->exits[slot]++;
  counts->pending_slot = slot;
  if (wants_exit_times) counts->pending_since_ns = bpf_ktime_get_ns();
  return 0;
}

// The arguments that it is asked for are the first or the second.
static __always_inline const void* argument(const struct bpf_raw_tracepoint_args* context,
                                            __u32 place) {
  return place == 0 ? (const void*)context->args[0] : (const void*)context->args[1];
}

SEC("raw_tp/kvm_exit")
int on_vmx_exit(struct bpf_raw_tracepoint_args* context) {
  const void* vcpu = argument(context, exit_vcpu_argument);
  __u16 reason;  // 31:16 of the field are flags (SDM vol. 3, 25.9.1)
  if (bpf_probe_read_kernel(&reason, sizeof(reason), vcpu + exit_code_offset) != 0) {
    count_lost_exit();
    return 0;
  }
  return count_exit(vcpu, reason);
}

SEC("raw_tp/kvm_exit")
int on_svm_exit(struct bpf_raw_tracepoint_args* context) {
  const void* vcpu = argument(context, exit_vcpu_argument);
  const void* vmcb;
  __u32 code;
  if (bpf_probe_read_kernel(&vmcb, sizeof(vmcb), vcpu + vmcb_offset) != 0 ||
      bpf_probe_read_kernel(&code, sizeof(code), vmcb + exit_code_offset) != 0) {
    count_lost_exit();
    return 0;
  }
  return count_exit(vcpu, code);
}

// Which of kHandlingBuckets; without a loop.
static __always_inline __u32 bucket_of(__u64 time_ns) {
  __u64 value = time_ns >> kFirstBucketLog2;
  __u32 bucket = 0;
  if (value >> 32) return kHandlingBuckets - 1;
  if (value >> 16) bucket += 16, value >>= 16;
  if (value >> 8) bucket += 8, value >>= 8;
  if (value >> 4) bucket += 4, value >>= 4;
  if (value >> 2) bucket += 2, value >>= 2;
  if (value >> 1) bucket += 1, value >>= 1;
  bucket += value;
  return bucket < kHandlingBuckets ? bucket : kHandlingBuckets - 1;
}

static __always_inline void add_time(struct TimeHistogram* times, __u64 time_ns, __u32 bucket) {
  if (bucket >= kHandlingBuckets) return;  // never; for the verifier
  times->total_ns += time_ns;
  times->log2_ns[bucket]++;
}

// Not loaded unless times are wanted.
SEC("raw_tp/kvm_entry")
int on_entry(struct bpf_raw_tracepoint_args* context) {
  struct VcpuCounts* counts = counts_of_vcpu(argument(context, entry_vcpu_argument));
  if (!counts) return 0;
  const __u32 slot = counts->pending_slot;
  if (slot >= kSlots) return 0;
  counts->pending_slot = kSlots;
  const __u64 time_ns = bpf_ktime_get_ns() - counts->pending_since_ns;
  const __u32 bucket = bucket_of(time_ns);
  struct TimeHistogram* of_slot = bpf_map_lookup_elem(&exit_times, &slot);
  if (of_slot) add_time(of_slot, time_ns, bucket);
  if (slot == pause_slot) add_time(&counts->pause_times, time_ns, bucket);
  return 0;
}

// Fired by the thread that runs the vCPU: on its PAUSE exits, or while it is scheduled in.
SEC("raw_tp/kvm_ple_window_update")
int on_window_update(struct bpf_raw_tracepoint_args* context) {
  struct VcpuCounts* counts = counts_of_current();
  // A thread's next vCPU may be scheduled in before its first exit: then nobody knows it yet.
  if (!counts || counts->vcpu_id != (__u32)context->args[0]) return 0;
  const __u32 new_window = (__u32)context->args[1];
  const __u32 old_window = (__u32)context->args[2];
  if (new_window > old_window)
    counts->window_grows++;
  else
    counts->window_shrinks++;
  return 0;
}

SEC("raw_tp/sched_process_exit")
int on_thread_end(struct bpf_raw_tracepoint_args* context) {
  const struct task_struct* task = current_thread();
  struct VcpuCounts* counts = first_counts_of(task);
  if (!counts) return 0;
  read_clocks(task, &counts->last);
  counts->ended = 1;  // those of its other vCPUs, if it had any, end with these
  return 0;
}

enum { kErrnoNoSuchTask = 3 };

// Fired between an exit and the next entry: inside kvm_vcpu_on_spin() when the exit is a PAUSE
// exit, else by a hypercall of the guest.
static __always_inline int count_yield(int result) {
  struct VcpuCounts* counts = counts_of_current();
  if (!counts || counts->pending_slot != pause_slot) return 0;
  if (result > 0)
    counts->yields[kYieldSucceeded]++;
  else if (result == 0)
    counts->yields[kYieldRefused]++;
  else if (result == -kErrnoNoSuchTask)
    counts->yields[kYieldNotNeeded]++;
  else
    counts->yields[kYieldFailed]++;
  return 0;
}

// User space attaches the first one that the kernel lets it.
SEC("fexit/kvm_vcpu_yield_to")
int BPF_PROG(on_yield_fexit, void* target, int result) { return count_yield(result); }

SEC("kretprobe/kvm_vcpu_yield_to")
int BPF_KRETPROBE(on_yield_kretprobe, int result) { return count_yield(result); }

char LICENSE[] SEC("license") = "GPL";
