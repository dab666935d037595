// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/result.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::host {

// What one observer saw between Arm() and Read(), of exactly the armed vCPU threads.
struct ExitCounts {
  bool attached = true;  // false: nobody was asked to count, so no count is doubtful for missing
  // Exits by reason, keyed by the kernel's name ("PAUSE_INSTRUCTION" on VMX, "PAUSE" on SVM, as in
  // the uapi headers asm/vmx.h and asm/svm.h), reasons without an exit left out. Empty when
  // by_reason_missing_because is not.
  std::map<std::string, uint64_t> by_reason;
  std::string by_reason_missing_because;
  Count total = Count::Missing("not counted");
  Count pause_exits = Count::Missing("not counted");     // VMX basic reason 40, SVM 0x77
  Count window_updates = Count::Missing("not counted");  // kvm_ple_window_update, = grown + shrunk
  Count window_growths = Count::Missing("not counted");
  Count window_shrinks = Count::Missing("not counted");
  std::vector<VcpuCounts> vcpus;  // in the order of the armed threads; empty when not split
  // Not empty: the observer knows that it lost events, and why.
  std::string lost_because;
};

// One way to count VM exits (facts and costs: docs/observers.md). Made once per run, since loading
// costs time; survives reloads of kvm_intel and kvm_amd.
class ExitCounter {
 public:
  virtual ~ExitCounter() = default;
  // "bpf-exit", "bpf-on-spin", "perf-exit", "perf-on-spin", "none": goes into the run log, since
  // runs taken with different observers must never be compared.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Puts it into the kernel before trials that it watches, and takes it out for those that it does
  // not: what is attached costs the exits that it sees, armed or not. While no vCPU thread exists.
  virtual Status SetAttached(bool /*attached*/) { return OkStatus(); }
  // Starts counting from zero for the vCPU threads `tids` (index = vCPU number) of process `tgid`.
  // All of them are outside the guest, before KVM_RUN.
  virtual Status Arm(pid_t tgid, std::span<const pid_t> tids) = 0;
  // The counts since Arm(). All threads have left the guest for good (they may have ended).
  virtual Result<ExitCounts> Read() = 0;
};

}  // namespace plectl::host
