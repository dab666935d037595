// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>
#include <utility>

#include "host_tools/base/version.h"
#include "host_tools/monitor/monitor_metrics.h"

namespace plectl::monitor {
namespace {

using metrics::AddSample;
using metrics::Labels;
using metrics::MetricsBuilder;
using prometheus::MetricFamily;

constexpr double kNsPerS = 1e9;

std::optional<double> NumberOf(std::string_view value) {
  if (value == "Y") return 1;
  if (value == "N") return 0;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  return whole ? std::optional(static_cast<double>(number)) : std::nullopt;
}

void AddParameters(const std::string& module, const ModuleState& state, MetricFamily& info,
                   MetricFamily& values) {
  Labels labels = {{"module", module}};
  for (const auto& [name, value] : state.parameters) {
    if (metrics::IsLabelName(name) && name != "module") labels.push_back({name, value});
    if (const auto number = NumberOf(value)) {
      AddSample(values, {{"module", module}, {"parameter", name}}, *number);
    }
  }
  AddSample(info, std::move(labels), 1);
}

}  // namespace

void AddTimes(MetricFamily& family, Labels labels, const TimeHistogram& times) {
  // Bucket 1 ends at 512 ns, 3 at 2048 ns, ... and the last two are in +Inf.
  constexpr size_t kBounds = kHandlingBuckets / 2 - 1;
  std::array<double, kBounds> bounds = {};
  std::array<uint64_t, kBounds + 1> counts = {};
  for (size_t i = 0; i < kHandlingBuckets; ++i) counts[i / 2] += times.log2_ns[i];
  for (size_t i = 0; i < kBounds; ++i) {
    bounds[i] = static_cast<double>(uint64_t{1} << (kFirstBucketLog2 + 2 * i + 1)) / kNsPerS;
  }
  metrics::AddHistogram(family, std::move(labels), bounds, counts,
                        static_cast<double>(times.total_ns) / kNsPerS);
}

void AddHostMetrics(const MonitorState& state, MetricsBuilder& builder) {
  if (!state.exit_times || !state.slots) return;
  MetricFamily& times = builder.Histogram(
      "plectl_exit_handling_seconds",
      "From a VM exit to the vCPU's next entry, of all VMs of the host together (tracepoints "
      "kvm_exit, kvm_entry)");
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const TimeHistogram& of_slot = (*state.exit_times)[slot];
    uint64_t count = 0;
    for (const uint64_t in_bucket : of_slot.log2_ns) count += in_bucket;
    if (count != 0) AddTimes(times, {{"reason", state.slots->names[slot]}}, of_slot);
  }
}

void AddModuleMetrics(const ModuleWatch& modules, MetricsBuilder& builder) {
  MetricFamily& info = builder.Gauge("plectl_kvm_parameters_info",
                                     "All parameters of a module of KVM (/sys/module)");
  MetricFamily& values =
      builder.Gauge("plectl_kvm_parameter",
                    "A parameter of a module of KVM that is a number or a truth (/sys/module)");
  MetricFamily& reloads = builder.Counter("plectl_kvm_module_reloads_total",
                                          "Loads of a module since the monitor saw it first "
                                          "(inode of /sys/module/MODULE)");
  MetricFamily& loaded =
      builder.Gauge("plectl_kvm_module_loaded_timestamp_seconds",
                    "When the module was loaded; only of loads that the monitor saw (/sys/module)");
  MetricFamily& changes =
      builder.Counter("plectl_kvm_parameter_changes_total",
                      "Parameters that had another value than before (/sys/module)");
  for (const auto& [name, state] : modules.states()) {
    const Labels module = {{"module", name}};
    if (state.loaded) AddParameters(name, state, info, values);
    AddSample(reloads, module, static_cast<double>(state.reloads));
    AddSample(changes, module, static_cast<double>(state.parameter_changes));
    if (state.loaded && state.loaded_timestamp_s)
      AddSample(loaded, module, *state.loaded_timestamp_s);
  }
}

}  // namespace plectl::monitor
