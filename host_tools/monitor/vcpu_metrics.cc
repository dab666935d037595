// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

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
          "guest as steal time (schedstat)"),
      builder.Counter(
          "plectl_vcpu_cpu_seconds_total",
          "CPU time of a vCPU's thread; user is without guest (/proc/PID/task/TID/stat)"),
      builder.Counter("plectl_vcpu_exits_total",
                      "VM exits of a vCPU by reason (tracepoint kvm_exit)"),
  };
}

void AddClocks(const VmRecord& vm, const VcpuRecord& vcpu, const std::string& id, double tick_s,
               const VcpuFamilies& families) {
  const auto times = vcpu.Times();
  if (!times) return;
  const auto add_cpu = [&](const char* mode, uint64_t ticks) {
    AddSample(families.cpu, {{"vm", vm.label}, {"vcpu", id}, {"mode", mode}},
              static_cast<double>(ticks) * tick_s);
  };
  add_cpu("user", times->user_ticks);
  add_cpu("system", times->system_ticks);
  add_cpu("guest", times->guest_ticks);
  if (times->run_delay_ns) {
    AddSample(families.delay, {{"vm", vm.label}, {"vcpu", id}},
              static_cast<double>(*times->run_delay_ns) / kNsPerS);
  }
}

void AddReasons(const MonitorState& state, const VmRecord& vm, const VcpuRecord& vcpu,
                const std::string& id, MetricFamily& family) {
  for (uint32_t slot = 0; slot < vcpu.exits.size(); ++slot) {
    if (vcpu.exits[slot] == 0) continue;
    AddSample(family, {{"vm", vm.label}, {"vcpu", id}, {"reason", state.slots->names[slot]}},
              static_cast<double>(vcpu.exits[slot]));
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
  const VcpuFamilies families = MakeFamilies(builder);
  Reserve(state, families);
  const bool counted = state.slots && state.sampler.counts_known();
  const double tick_s = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  for (const auto& [pid, vm] : state.sampler.table().records()) {
    for (const VcpuRecord& vcpu : vm.vcpus) {
      const std::string id = std::to_string(vcpu.id);
      AddClocks(vm, vcpu, id, tick_s, families);
      if (!counted) continue;
      AddSample(families.pauses, {{"vm", vm.label}, {"vcpu", id}},
                static_cast<double>(vcpu.pause_exits));
      AddReasons(state, vm, vcpu, id, families.exits);
    }
  }
}

}  // namespace plectl::monitor
