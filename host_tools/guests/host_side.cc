// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/host_side.h"

namespace plectl::guests {
namespace {

std::vector<StatisticGrowths> GrowthsOf(const std::vector<KvmStatistics>& all) {
  std::vector<StatisticGrowths> growths;
  for (const KvmStatistics& statistics : all) growths.push_back(statistics.SinceBegin());
  return growths;
}

// How long a vCPU's thread slept since the guest had halted it. Waking up is a part of it.
Count SleptNs(const StatisticGrowths& growths) {
  Count slept = GrowthOf(growths, "halt_wait_ns");
  const bool never_halted = GrowthOf(growths, "halt_exits") == Count(0);
  return !slept.has_value() && never_halted ? Count(0) : slept;
}

Count ExitsOf(const StatisticGrowths& growths) { return GrowthOf(growths, "exits"); }

}  // namespace

HostSide::HostSide(std::span<Vm> vms) {
  for (Vm& vm : vms) {
    of_vms_.emplace_back(vm.fd());
    for (const Vcpu& vcpu : vm.vcpus()) of_vcpus_.emplace_back(vcpu.fd());
  }
}

void HostSide::Begin(std::span<const pid_t> tids) {
  begin_ = ReadThreadClocks(tids);
  for (KvmStatistics& statistics : of_vms_) statistics.Begin();
  for (KvmStatistics& statistics : of_vcpus_) statistics.Begin();
}

void HostSide::End(std::span<const pid_t> tids) {
  vms_ = GrowthsOf(of_vms_);
  vcpus_ = GrowthsOf(of_vcpus_);
  end_ = ReadThreadClocks(tids);
}

Count HostSide::UnexpectedExitsSinceEnd() const {
  uint64_t total = 0;
  for (size_t vcpu = 0; vcpu < of_vcpus_.size(); ++vcpu) {
    const Count at_end = ExitsOf(vcpus_[vcpu]);
    const Count now = ExitsOf(of_vcpus_[vcpu].SinceBegin());
    if (!at_end.has_value() || !now.has_value()) return now.has_value() ? at_end : now;
    total += now.value() - at_end.value();
  }
  return total - of_vcpus_.size();
}

void HostSide::AddTo(const VcpuGroup& group, GuestResult& result) const {
  for (size_t vm = 0; vm < result.vms.size(); ++vm) result.vms[vm].kvm_stats = vms_[vm];
  for (size_t id = 0; id < result.vcpus.size(); ++id) {
    VcpuResult& vcpu = result.vcpus[id];
    const ThreadUsage& usage = group.usage(id);
    const ThreadClocks clocks = end_[id] - begin_[id];
    vcpu.kvm_stats = vcpus_[id];
    vcpu.kvm_exits = ExitsOf(vcpus_[id]);
    vcpu.involuntary_switches = usage.involuntary_switches;
    vcpu.voluntary_switches = usage.voluntary_switches;
    vcpu.user_ns = usage.user_ns;
    vcpu.system_ns = usage.system_ns;
    vcpu.guest_ns =
        CredibleGuestNs(clocks.guest_ns, static_cast<uint64_t>(usage.user_ns + usage.system_ns));
    vcpu.run_delay_ns = clocks.run_delay_ns;
    vcpu.active_ns = usage.wall_ns;
    vcpu.slept_ns = SleptNs(vcpus_[id]);
    vcpu.stopped_ns = StoppedNs(usage.wall_ns, usage.cpu_ns,
                                Difference(end_[id].run_delay_ns, group.run_delay_at_start_ns(id)),
                                vcpu.slept_ns);
  }
}

}  // namespace plectl::guests
