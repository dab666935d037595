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
      builder.Counter("plectl_vcpu_cpu_seconds_total",
                      "CPU time of a vCPU's thread since it was seen first; user is without guest "
                      "(task_struct)"),
      builder.Counter("plectl_vcpu_exits_total",
                      "VM exits of a vCPU by reason (tracepoint kvm_exit)"),
  };
}

void AddClocks(const VmRecord& vm, const VcpuRecord& vcpu, const std::string& id,
               const VcpuFamilies& families) {
  const VcpuClocks& clocks = vcpu.all.clocks;
  const auto add_cpu = [&](const char* mode, uint64_t time_ns) {
    AddSample(families.cpu, {{"vm", vm.label}, {"vcpu", id}, {"mode", mode}},
              static_cast<double>(time_ns) / kNsPerS);
  };
  add_cpu("user", clocks.user_ns);
  add_cpu("system", clocks.system_ns);
  add_cpu("guest", clocks.guest_ns);
  if (clocks.run_delay_ns) {
    AddSample(families.delay, {{"vm", vm.label}, {"vcpu", id}},
              static_cast<double>(*clocks.run_delay_ns) / kNsPerS);
  }
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
  constexpr size_t kModes = 3;
  const size_t vcpus = state.sampler.vcpus();
  families.pauses.metric.reserve(vcpus);
  families.delay.metric.reserve(vcpus);
  families.cpu.metric.reserve(vcpus * kModes);
}

}  // namespace

void AddVcpuMetrics(const MonitorState& state, MetricsBuilder& builder) {
  if (!state.slots || !state.sampler.counts_known()) return;
  const VcpuFamilies families = MakeFamilies(builder);
  Reserve(state, families);
  for (const auto& [pid, vm] : state.sampler.table().records()) {
    for (const VcpuRecord& vcpu : vm.vcpus) {
      const std::string id = std::to_string(vcpu.id);
      AddSample(families.pauses, {{"vm", vm.label}, {"vcpu", id}},
                static_cast<double>(vcpu.all.pause_exits));
      AddClocks(vm, vcpu, id, families);
      AddReasons(state, vm, vcpu, id, families.exits);
    }
  }
}

}  // namespace plectl::monitor
