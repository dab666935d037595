/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What is recorded beyond the counts, each only when asked for: these programs are loaded in place
 * of, or beside, the ones that only count. A part of exit_counter.bpf.c. */
#pragma once

const volatile __u8 wants_exit_times = 0;
const volatile __u8 wants_pause_rips = 0;
const volatile __u32 pause_exit_code = 0;

struct VcpuDetail details[kMaxVcpus] = {};

/* Big, so it is made with one row per vCPU only when it is asked for (else with one). */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct VcpuTimes);
} vcpu_times SEC(".maps");

static __always_inline struct SlotTimes* times_of(__u32 index, __u64 slot) {
  struct VcpuTimes* times = bpf_map_lookup_elem(&vcpu_times, &index);
  barrier_var(slot);
  return times && slot < kExitSlots ? &times->slots[slot] : 0;
}

/* floor(log2(value)), at most kTimeBuckets - 1; 0 for 0. Without a loop. */
static __always_inline __u64 log2_bucket(__u64 value) {
  __u64 bucket = 0;
  if (value >> 32) return kTimeBuckets - 1;
  if (value >> 16) bucket += 16, value >>= 16;
  if (value >> 8) bucket += 8, value >>= 8;
  if (value >> 4) bucket += 4, value >>= 4;
  if (value >> 2) bucket += 2, value >>= 2;
  if (value >> 1) bucket += 1;
  return bucket;
}

/* Two exits with no entry between: KVM has handled the first one without leaving for the guest. */
static __always_inline void begin_exit(__u32 index, __u64 slot) {
  struct VcpuDetail* detail = &details[index & (kMaxVcpus - 1)];
  if (wants_exit_times) {
    const __u64 pending = detail->exit_slot_plus_1;
    struct SlotTimes* times = pending ? times_of(index, pending - 1) : 0;
    if (times) times->unfinished++;
    detail->exit_ns = bpf_ktime_get_ns();
  }
  detail->exit_slot_plus_1 = slot + 1;
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_vmx_exit_detailed, struct kvm_vcpu* vcpu) {
  if (!vcpu) return 0;
  const __u32 index = (__u32)vcpu->vcpu_id;
  struct VcpuRow* row = row_at(index);
  if (!is_row_of(row, vcpu) && !take_row(row, vcpu, index)) return 0;
  __u64 slot = vmx_reason(vcpu);
  if (slot > kOtherSlot) slot = kOtherSlot;
  row->exits[slot]++;
  begin_exit(index, slot);
  return 0;
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_svm_exit_detailed, struct kvm_vcpu* vcpu) {
  if (!vcpu) return 0;
  const __u32 index = (__u32)vcpu->vcpu_id;
  struct VcpuRow* row = row_at(index);
  if (!is_row_of(row, vcpu) && !take_row(row, vcpu, index)) return 0;
  __u64 slot = slot_of_exit_code(svm_code(vcpu));
  barrier_var(slot);
  if (slot >= kExitSlots) return 0; /* never; for the verifier */
  row->exits[slot]++;
  begin_exit(index, slot);
  return 0;
}

static __always_inline void add_time(struct SlotTimes* times, __u64 time_ns) {
  if (times->count == 0 || time_ns < times->min_ns) times->min_ns = time_ns;
  if (time_ns > times->max_ns) times->max_ns = time_ns;
  times->count++;
  times->total_ns += time_ns;
  times->log2_ns[log2_bucket(time_ns) & (kTimeBuckets - 1)]++;
}

/* Open addressing; instructions are some bytes long, so near ones fall into near entries. */
static __always_inline void add_rip(struct VcpuRips* rips, __u64 rip) {
  for (__u32 i = 0; i < kRipsMax; ++i) {
    struct RipCount* entry = &rips->entries[((rip >> 1) + i) & (kRipsMax - 1)];
    if (entry->exits == 0) entry->rip = rip;
    if (entry->rip != rip) continue;
    entry->exits++;
    return;
  }
  rips->other++;
}

/* KVM reads the RIP of a PAUSE exit from the VMCS only to step over the instruction, and thus keeps
 * the address behind it in the vCPU's registers: there is no cheaper place to have it from. */
enum { kRipRegister = 16, kPauseBytes = 2 };

static __always_inline __u64 rip_of(const struct kvm_vcpu* vcpu) {
  const struct kvm_vcpu___rip_apart* newer = (const void*)vcpu;
  if (bpf_core_field_exists(newer->arch.rip)) return newer->arch.rip;
  return vcpu->arch.regs[kRipRegister];
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(on_entry, struct kvm_vcpu* vcpu) {
  if (!vcpu) return 0;
  const __u32 index = (__u32)vcpu->vcpu_id;
  if (!is_row_of(row_at(index), vcpu)) return 0;
  struct VcpuDetail* detail = &details[index & (kMaxVcpus - 1)];
  const __u64 pending = detail->exit_slot_plus_1;
  if (pending == 0) return 0;
  detail->exit_slot_plus_1 = 0;
  if (wants_exit_times) {
    const __u64 time_ns = bpf_ktime_get_ns() - detail->exit_ns;
    struct SlotTimes* times = times_of(index, pending - 1);
    if (times) add_time(times, time_ns);
  }
  if (wants_pause_rips && pending - 1 == pause_exit_code)
    add_rip(&detail->rips, rip_of(vcpu) - kPauseBytes);
  return 0;
}

/* The index of the armed vCPU whose thread this is, or kMaxVcpus. */
static __always_inline __u32 index_of_current_thread(void) {
  const __u64 task = bpf_get_current_task();
  for (__u32 i = 0; i < kMaxVcpus; ++i) {
    if (i >= armed.vcpus) break;
    if (rows[i].task == task) return i;
  }
  return kMaxVcpus;
}

enum { kErrnoNoSuchTask = 3 };

static __always_inline int count_yield(struct VcpuYields* yields, __u32 target, int result) {
  yields->attempts++;
  if (result > 0) {
    yields->succeeded++;
    yields->boosted[target & (kMaxVcpus - 1)]++;
  } else if (result == 0) {
    yields->refused++;
  } else if (result == -kErrnoNoSuchTask) {
    yields->not_needed++;
  } else {
    yields->failed++;
  }
  return 0;
}

static __always_inline int count_call(struct VcpuYields* yields) {
  yields->on_spin_calls++;
  if (yields->attempts == yields->attempts_before) yields->without_candidate++;
  yields->attempts_before = yields->attempts;
  return 0;
}

/* Inside kvm_vcpu_on_spin(): guests of ours make no hypercall that yields. */
SEC("fexit/kvm_vcpu_yield_to")
int BPF_PROG(on_yield_to, struct kvm_vcpu* target, int result) {
  const __u32 index = index_of_current_thread();
  if (index >= kMaxVcpus) return 0;
  return count_yield(&details[index].yields, (__u32)target->vcpu_id, result);
}

SEC("fexit/kvm_vcpu_on_spin")
int BPF_PROG(on_spin_end, struct kvm_vcpu* vcpu) {
  const __u32 index = (__u32)vcpu->vcpu_id;
  if (!is_row_of(row_at(index), vcpu)) return 0;
  return count_call(&details[index & (kMaxVcpus - 1)].yields);
}

/* The same where the kernel may preempt itself: it cannot amid these. */
SEC("kprobe/kvm_vcpu_yield_to")
int BPF_KPROBE(on_yield_begin_kprobe, struct kvm_vcpu* target) {
  const __u32 index = index_of_current_thread();
  if (index < kMaxVcpus) details[index].yields.target = (__u32)BPF_CORE_READ(target, vcpu_id);
  return 0;
}

SEC("kretprobe/kvm_vcpu_yield_to")
int BPF_KRETPROBE(on_yield_kretprobe, int result) {
  const __u32 index = index_of_current_thread();
  if (index >= kMaxVcpus) return 0;
  struct VcpuYields* yields = &details[index].yields;
  return count_yield(yields, (__u32)yields->target, result);
}

SEC("kretprobe/kvm_vcpu_on_spin")
int BPF_KRETPROBE(on_spin_kretprobe) {
  const __u32 index = index_of_current_thread();
  return index < kMaxVcpus ? count_call(&details[index].yields) : 0;
}
