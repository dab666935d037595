// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/monitor/kernel_counts.h"
#include "host_tools/monitor/monitor.h"

namespace plectl::monitor {

// A vCPU thread that a FakeVms has, and what was counted of it.
struct FakeThread {
  pid_t pid = 0;
  pid_t tid = 0;
  uint32_t vcpu = 0;
  uint64_t start_ticks = 0;
  uint64_t pauses = 0;
  uint64_t others = 0;  // exits in slot kOtherExitSlot
  bool ended = false;   // and the kernel noticed
  ThreadClocks first = {};
  ThreadClocks last = {};

  uint64_t other_vcpu = 0;  // not 0: the address of one that is not its thread's first

  [[nodiscard]] VcpuKey key() const;
};
inline constexpr uint32_t kOtherExitSlot = 1;

// A host's /proc, with VMs in it and the kernel's counts of them. Removed at its end.
class FakeVms {
 public:
  // `parent`: where the folder is made.
  explicit FakeVms(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  FakeVms(const FakeVms&) = delete;
  FakeVms& operator=(const FakeVms&) = delete;
  ~FakeVms();

  [[nodiscard]] const HostRoot& root() const { return root_; }
  void Write(std::string_view path, std::string_view text) const;
  void Remove(std::string_view path) const;

  // A QEMU of that name (none when it is empty); its vCPUs' threads follow its process id.
  void Start(pid_t pid, std::string_view name, uint32_t vcpus, uint64_t start_ticks = 1000);
  FakeThread& AddThread(pid_t pid, pid_t tid, uint32_t vcpu, uint64_t start_ticks);
  void End(pid_t pid);
  // In /proc only, or so that the kernel notices too.
  void EndThread(pid_t tid, bool noticed);
  // By key; a thread that ended stays until it is forgotten, as in the kernel.
  std::map<VcpuKey, FakeThread> threads;
  FakeThread& Thread(pid_t tid);

  uint32_t pause_slot = 0;
  bool counts_yields = true;
  bool has_run_delay = true;
  uint64_t lost_exits = 0;
  Status next_read = OkStatus();  // an error: the next read of all threads fails with it, once
  std::function<void(const FakeThread&)> before_visit = [](const FakeThread&) {};

  // As probes that were just attached; this must outlive them.
  std::unique_ptr<KernelCounts> Kernel();
  AttachProbes Attacher();

 private:
  std::filesystem::path folder_;
  HostRoot root_;
};

}  // namespace plectl::monitor
