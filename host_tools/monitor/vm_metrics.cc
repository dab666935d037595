// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "host_tools/monitor/monitor_metrics.h"

namespace plectl::monitor {
namespace {

using metrics::AddSample;
using metrics::Labels;
using metrics::MetricsBuilder;
using prometheus::MetricFamily;

constexpr const char* kYieldNames[kYieldResults] = {"succeeded", "refused", "not_needed", "failed"};

void AddNames(const MonitorState& state, MetricsBuilder& builder) {
  MetricFamily& info =
      builder.Gauge("plectl_vm_info",
                    "The VMs that run now (libvirt's PID files, else the process' command line)");
  MetricFamily& vcpus =
      builder.Gauge("plectl_vm_vcpus", "vCPUs that were seen to run (KVM tracepoints)");
  for (const auto& [pid, vm] : state.sampler.table().records()) {
    AddSample(info,
              {{"vm", vm.label},
               {"pid", std::to_string(pid)},
               {"program", vm.program},
               {"name_source", vm.name_source}},
              1);
    if (vm.is_counted) {
      AddSample(vcpus, {{"vm", vm.label}}, static_cast<double>(vm.vcpus.size()));
    }
  }
}

// PAUSE exits are shown before the first one too: they are what is looked for.
void AddExits(const MonitorState& state, const VmRecord& vm, MetricFamily& family) {
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const uint64_t exits = vm.live.exits[slot] + vm.ended.exits[slot];
    if (exits == 0 && slot != state.slots->pause_slot) continue;
    AddSample(family, {{"vm", vm.label}, {"reason", state.slots->names[slot]}},
              static_cast<double>(exits));
  }
}

void AddYields(const VmRecord& vm, MetricFamily& family) {
  for (uint32_t result = 0; result < kYieldResults; ++result) {
    AddSample(family, {{"vm", vm.label}, {"result", kYieldNames[result]}},
              static_cast<double>(vm.live.yields[result] + vm.ended.yields[result]));
  }
}

void AddWindowChanges(const VmRecord& vm, MetricFamily& family) {
  AddSample(family, {{"vm", vm.label}, {"direction", "grow"}},
            static_cast<double>(vm.live.window_grows + vm.ended.window_grows));
  AddSample(family, {{"vm", vm.label}, {"direction", "shrink"}},
            static_cast<double>(vm.live.window_shrinks + vm.ended.window_shrinks));
}

void AddPauseTimes(const VmRecord& vm, MetricFamily& family) {
  TimeHistogram times = vm.live.pause_times;
  AddTo(times, vm.ended.pause_times);
  AddTimes(family, {{"vm", vm.label}}, times);
}

}  // namespace

void AddVmMetrics(const MonitorState& state, MetricsBuilder& builder) {
  AddNames(state, builder);
  if (!state.slots || !state.sampler.counts_known()) return;
  MetricFamily& exits =
      builder.Counter("plectl_vm_exits_total", "VM exits by reason (tracepoint kvm_exit)");
  MetricFamily& windows = builder.Counter(
      "plectl_vm_ple_window_changes_total",
      "Changes of a vCPU's PLE window, AMD: pause filter count (tracepoint kvm_ple_window_update)");
  MetricFamily& yields = builder.Counter(
      "plectl_vm_directed_yields_total",
      "Directed yields tried while a PAUSE exit was handled (return value of kvm_vcpu_yield_to: >0 "
      "succeeded, 0 refused, -ESRCH not needed)");
  MetricFamily& times = builder.Histogram(
      "plectl_vm_pause_exit_handling_seconds",
      "From a PAUSE exit to the vCPU's next entry (tracepoints kvm_exit, kvm_entry)");
  for (const auto& [pid, vm] : state.sampler.table().records()) {
    if (!vm.is_counted) continue;
    AddExits(state, vm, exits);
    AddWindowChanges(vm, windows);
    if (state.counts_yields) AddYields(vm, yields);
    if (state.counts_times) AddPauseTimes(vm, times);
  }
}

}  // namespace plectl::monitor
