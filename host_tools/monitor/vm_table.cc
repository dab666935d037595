// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/vm_table.h"

#include <fmt/format.h>

#include <utility>

namespace plectl::monitor {

void VmTable::DropEnded(const std::function<bool()>& in_time) {
  domains_.reset();
  for (auto it = records_.begin(); it != records_.end();) {
    if (!in_time() || files_.ProcessStartTicks(it->first) == it->second.start_ticks) {
      ++it;
      continue;
    }
    labels_.erase(it->second.label);
    it = records_.erase(it);
  }
  std::erase_if(without_room_, [&](const auto& process) {
    return in_time() && files_.ProcessStartTicks(process.first) != process.second;
  });
}

VmRecord* VmTable::FindKnown(pid_t pid) {
  const auto known = records_.find(pid);
  return known == records_.end() ? nullptr : &known->second;
}

VmRecord* VmTable::Find(pid_t pid) {
  if (VmRecord* known = FindKnown(pid)) return known;
  const std::optional<uint64_t> start_ticks = files_.ProcessStartTicks(pid);
  if (!start_ticks) return nullptr;
  if (records_.size() >= vms_max_) {
    dropped_ += without_room_.emplace(pid, *start_ticks).second ? 1 : 0;
    return nullptr;
  }
  VmRecord& vm = records_[pid];
  vm.pid = pid;
  vm.start_ticks = *start_ticks;
  Name(vm);
  return &vm;
}

void VmTable::RereadNames() {
  domains_.reset();
  for (auto& [pid, vm] : records_) Name(vm);
}

const host::LibvirtDomains& VmTable::Domains() {
  if (!domains_) domains_ = host::ReadLibvirtDomains(root_);
  return *domains_;
}

void VmTable::Name(VmRecord& vm) {
  const host::ProgramIdentity identity = host::IdentityOf(root_, std::to_string(vm.pid), Domains());
  vm.program = identity.program;
  vm.name_source = identity.vm_name.empty()     ? "pid"
                   : identity.is_libvirt_domain ? "libvirt"
                                                : "process";
  if (!vm.label.empty() && vm.name == identity.vm_name) return;
  labels_.erase(vm.label);
  vm.name = identity.vm_name;
  vm.label = FreeLabel(vm);
  labels_.insert(vm.label);
}

std::string VmTable::FreeLabel(const VmRecord& vm) const {
  std::string label = vm.name.empty() ? fmt::format("{}-{}", vm.program, vm.pid) : vm.name;
  while (labels_.contains(label)) label += fmt::format("@{}", vm.pid);
  return label;
}

}  // namespace plectl::monitor
