// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/monitor/kernel_counts.h"
#include "host_tools/monitor/vm_table.h"

namespace plectl::monitor {

struct SamplerOptions {
  size_t vms_max = 1024;
  size_t vcpus_max = 16384;
  bool per_vcpu_reasons = false;
};

// Brings what the kernel counted of threads together by VM and vCPU. Counts only grow while a VM
// lives, whatever its threads do. Not for several threads at once.
class Sampler {
 public:
  Sampler(const HostRoot& root, const SamplerOptions& options)
      : root_(root), options_(options), table_(root, options.vms_max) {}

  // Which slot PAUSE exits are in (ExitSlotTable).
  void SetPauseSlot(uint32_t slot) { pause_slot_ = slot; }

  // Reads all. After `deadline_ns` (MonotonicNs()) it asks /proc nothing more: VMs that have come
  // or gone are seen later. False when that happened. When the kernel's counts cannot be read, none
  // are known until the next round (counts_known()).
  Result<bool> Update(KernelCounts& kernel, int64_t deadline_ns);
  // The same while nothing is counted: which VMs there still are.
  bool UpdateWithoutCounts(int64_t deadline_ns);
  // Adds the VMs that have a KVM file open, of processes that we may look at.
  void ScanOpenFiles();
  // Takes over what is counted by now: the kernel's counts will begin again at 0.
  void Fold(KernelCounts& kernel);

  [[nodiscard]] VmTable& table() { return table_; }
  [[nodiscard]] const VmTable& table() const { return table_; }
  [[nodiscard]] bool counts_known() const { return counts_known_; }
  [[nodiscard]] uint64_t vcpus() const { return vcpus_; }
  // vCPUs that have no series of their own since there are too many.
  [[nodiscard]] uint64_t dropped_vcpus() const { return dropped_vcpus_; }

 private:
  void BeginRound(int64_t deadline_ns);
  void Visit(KernelCounts& kernel, const VcpuCounts& counts);
  // Nothing when there is no room for the vCPU.
  VcpuRecord* FindVcpu(VmRecord& vm, uint32_t id);
  bool HasEnded(const VcpuCounts& counts);
  bool InTime();

  HostRoot root_;
  SamplerOptions options_;
  VmTable table_;
  uint32_t pause_slot_ = 0;
  int64_t deadline_ns_ = 0;
  bool in_time_ = true;
  uint64_t position_ = 0;     // of the thread in this round
  uint64_t verify_from_ = 0;  // the first one that /proc is asked about
  uint64_t vcpus_ = 0;
  uint64_t dropped_vcpus_ = 0;
  bool counts_known_ = false;
  std::vector<VcpuKey> to_forget_;
  std::set<uint64_t> ended_threads_;  // in this round
};

}  // namespace plectl::monitor
