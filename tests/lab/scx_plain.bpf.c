// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Two sched_ext schedulers that leave all to sched_ext: one has no operation `yield`, one has.
#include <linux/bpf.h>
#include <stdbool.h>

#include "bpf/bpf_helpers.h"  // uses the types of linux/bpf.h

struct task_struct;

// What is used of it; libbpf finds the kernel's own by names.
struct sched_ext_ops {
  bool (*yield)(struct task_struct* from, struct task_struct* to);
  char name[128];
};

SEC("struct_ops/yield")
bool BPF_yield(unsigned long long* context) { return false; }

SEC(".struct_ops")
struct sched_ext_ops plain = {.name = "plectl_plain"};

SEC(".struct_ops")
struct sched_ext_ops yielding = {.yield = (void*)BPF_yield, .name = "plectl_yielding"};

char LICENSE[] SEC("license") = "GPL";
