// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/monitor/bpf/vcpu_counts.h"
#include "host_tools/monitor/proc_files.h"

namespace plectl::monitor {

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

// A thread that runs a vCPU.
struct VcpuThread {
  uint64_t key = 0;  // thread_key()
  uint64_t start_ticks = 0;
  uint64_t round = 0;  // the last Update() that saw it in the kernel's counts
  std::optional<ThreadTimes> times = {};
};

// A vCPU, by KVM's number of it. Its threads may come and go: what those that ended had counted
// stays in it.
struct VcpuRecord {
  uint32_t id = 0;
  std::vector<VcpuThread> threads;
  uint64_t pause_exits = 0;  // of its threads, as of the last Update()
  uint64_t ended_pause_exits = 0;
  ThreadTimes ended_times = {.run_delay_ns = 0};  // sums; only of threads that ended
  std::vector<uint64_t> exits;                    // by slot, both kinds; empty unless wanted
  std::vector<uint64_t> ended_exits;

  // Sums over all threads; nothing when one of them is not known yet.
  [[nodiscard]] std::optional<ThreadTimes> Times() const;
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
