// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "host_tools/monitor/monitor_metrics.h"

namespace plectl::monitor {
namespace {

using metrics::AddSample;
using metrics::MetricsBuilder;
using prometheus::MetricFamily;

constexpr double kNsPerS = 1e9;

struct VcpuFamilies {
  MetricFamily& pauses;
  MetricFamily& delay;
  MetricFamily& cpu;
  MetricFamily& exits;
};

VcpuFamilies MakeFamilies(MetricsBuilder& builder) {
  return {
      builder.Counter("plectl_vcpu_pause_exits_total",
                      "PAUSE exits of a vCPU (tracepoint kvm_exit)"),
      builder.Counter(
          "plectl_vcpu_run_delay_seconds_total",
          "Time that a vCPU's thread was ready and waited for a CPU; what KVM tells the "
          "guest as steal time, since the vCPU was seen first (sched_info)"),
      builder.Counter("plectl_vm_cpu_seconds_total",
                      "CPU time of a VM's vCPU threads since they were seen first; user is without "
                      "guest (task_struct)"),
      builder.Counter("plectl_vcpu_exits_total",
                      "VM exits of a vCPU by reason (tracepoint kvm_exit)"),
  };
}

// Of a VM as a whole: three series per vCPU would be most of a scrape.
void AddCpuTimes(const VmRecord& vm, MetricFamily& family) {
  uint64_t user_ns = 0;
  uint64_t system_ns = 0;
  uint64_t guest_ns = 0;
  for (const VcpuRecord& vcpu : vm.vcpus) {
    user_ns += vcpu.all.clocks.user_ns;
    system_ns += vcpu.all.clocks.system_ns;
    guest_ns += vcpu.all.clocks.guest_ns;
  }
  const auto add = [&](const char* mode, uint64_t time_ns) {
    AddSample(family, {{"vm", vm.label}, {"mode", mode}}, static_cast<double>(time_ns) / kNsPerS);
  };
  add("user", user_ns);
  add("system", system_ns);
  add("guest", guest_ns);
}

void AddRunDelay(const VmRecord& vm, const VcpuRecord& vcpu, const std::string& id,
                 MetricFamily& family) {
  if (!vcpu.all.clocks.run_delay_ns) return;
  AddSample(family, {{"vm", vm.label}, {"vcpu", id}},
            static_cast<double>(*vcpu.all.clocks.run_delay_ns) / kNsPerS);
}

void AddReasons(const MonitorState& state, const VmRecord& vm, const VcpuRecord& vcpu,
                const std::string& id, MetricFamily& family) {
  for (uint32_t slot = 0; slot < vcpu.all.exits.size(); ++slot) {
    if (vcpu.all.exits[slot] == 0) continue;
    AddSample(family, {{"vm", vm.label}, {"vcpu", id}, {"reason", state.slots->names[slot]}},
              static_cast<double>(vcpu.all.exits[slot]));
  }
}

void Reserve(const MonitorState& state, const VcpuFamilies& families) {
  const size_t vcpus = state.sampler.vcpus();
  families.pauses.metric.reserve(vcpus);
  families.delay.metric.reserve(vcpus);
}

}  // namespace

void AddVcpuMetrics(const MonitorState& state, MetricsBuilder& builder) {
  if (!state.slots || !state.sampler.counts_known()) return;
  const VcpuFamilies families = MakeFamilies(builder);
  Reserve(state, families);
  for (const auto& [pid, vm] : state.sampler.table().records()) {
    if (!vm.vcpus.empty()) AddCpuTimes(vm, families.cpu);
    for (const VcpuRecord& vcpu : vm.vcpus) {
      const std::string id = std::to_string(vcpu.id);
      AddSample(families.pauses, {{"vm", vm.label}, {"vcpu", id}},
                static_cast<double>(vcpu.all.pause_exits));
      AddRunDelay(vm, vcpu, id, families.delay);
      AddReasons(state, vm, vcpu, id, families.exits);
    }
  }
}

}  // namespace plectl::monitor
