// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/monitor/bpf/vcpu_counts.h"

namespace plectl::monitor {

void AddTo(TimeHistogram& sum, const TimeHistogram& more);

// What was counted of some vCPU threads together.
struct Totals {
  std::array<uint64_t, kSlots> exits = {};
  std::array<uint64_t, kYieldResults> yields = {};
  TimeHistogram pause_times = {};
  uint64_t window_grows = 0;
  uint64_t window_shrinks = 0;

  void Add(const VcpuCounts& counts);
  void Add(const Totals& more);
};

// The clocks of a vCPU's threads, since each was seen first.
struct VcpuClocks {
  uint64_t user_ns = 0;  // without the guest's
  uint64_t system_ns = 0;
  uint64_t guest_ns = 0;
  std::optional<uint64_t> run_delay_ns = 0;  // not in every kernel

  void Add(const VcpuCounts& counts);
};

// What is counted of a vCPU.
struct VcpuTotals {
  uint64_t pause_exits = 0;
  VcpuClocks clocks;
  std::vector<uint64_t> exits;  // by slot; empty unless wanted

  void Add(const VcpuCounts& counts, uint32_t pause_slot);
};

// A vCPU, by KVM's number of it. Its threads may come and go: what those that ended had counted
// stays in it.
struct VcpuRecord {
  uint32_t id = 0;
  VcpuTotals all;    // as of the last Update()
  VcpuTotals ended;  // of threads that ended
};

// A process that runs a VM. A later process of the same PID is another VM.
struct VmRecord {
  pid_t pid = 0;
  uint64_t start_ticks = 0;
  std::string label;  // no other VM has it
  std::string name;   // as it is called; "" when it does not say
  std::string program;
  std::string name_source;        // "libvirt", "process" or "pid"
  std::vector<VcpuRecord> vcpus;  // by id
  bool is_counted = false;        // whether any of its vCPUs was seen by the probes
  Totals live;                    // of its threads, as of the last Update()
  Totals ended;                   // of threads that ended
};

}  // namespace plectl::monitor
