// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/host/vm_names.h"
#include "host_tools/monitor/proc_files.h"
#include "host_tools/monitor/vm_record.h"

namespace plectl::monitor {

// The VMs that run now, at most so many, each with a label of its own.
class VmTable {
 public:
  VmTable(const HostRoot& root, size_t vms_max) : root_(root), files_(root), vms_max_(vms_max) {}

  // Forgets the VMs whose process is gone, or is another one of the same PID; looks no further when
  // `in_time` says no. Begins a round: libvirt is asked again for names when a VM comes.
  void DropEnded(const std::function<bool()>& in_time);
  // The VM of a process: known, or new. Nothing when the process is gone, or when there is no room.
  VmRecord* Find(pid_t pid);
  VmRecord* FindKnown(pid_t pid);
  // Reads all names again; labels change only with them.
  void RereadNames();

  using Records = std::map<pid_t, VmRecord>;
  [[nodiscard]] Records& records() { return records_; }
  [[nodiscard]] const Records& records() const { return records_; }
  // How many VMs found no room, each counted once.
  [[nodiscard]] uint64_t dropped() const { return dropped_; }
  [[nodiscard]] ProcFiles& files() { return files_; }

 private:
  void Name(VmRecord& vm);
  std::string FreeLabel(const VmRecord& vm) const;
  const host::LibvirtDomains& Domains();

  HostRoot root_;
  ProcFiles files_;
  size_t vms_max_;
  Records records_;
  std::set<std::string, std::less<>> labels_;
  std::map<pid_t, uint64_t> without_room_;  // and when it started
  uint64_t dropped_ = 0;
  std::optional<host::LibvirtDomains> domains_;  // of this round
};

}  // namespace plectl::monitor
