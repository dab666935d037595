// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include "host_tools/base/text.h"
#include "host_tools/base/version.h"
#include "host_tools/monitor/monitor_metrics.h"

namespace plectl::monitor {
namespace {

using metrics::AddSample;
using metrics::MetricsBuilder;
using prometheus::MetricFamily;

constexpr double kNsPerS = 1e9;

double SecondsOf(const timeval& time) {
  constexpr double kUsPerS = 1e6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / kUsPerS;
}

// The second number of /proc/self/statm, in pages.
std::optional<double> ResidentBytes(const HostRoot& root) {
  const auto text = root.Read("/proc/self/statm");
  if (!text) return std::nullopt;
  const auto fields = Split(*text, ' ');
  const auto pages = fields.size() > 1 ? ParseUint(fields[1]) : std::nullopt;
  if (!pages) return std::nullopt;
  return static_cast<double>(*pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void AddProcess(const HostRoot& root, MetricsBuilder& builder) {
  struct rusage usage = {};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    AddSample(builder.Counter("plectl_monitor_cpu_seconds_total",
                              "CPU time of the monitor's process (getrusage)"),
              {}, SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime));
  }
  if (const auto bytes = ResidentBytes(root)) {
    AddSample(builder.Gauge("plectl_monitor_resident_memory_bytes",
                            "Resident memory of the monitor's process (/proc/self/statm)"),
              {}, *bytes);
  }
}

void AddProbes(const OwnState& own, MetricsBuilder& builder) {
  MetricFamily& runs = builder.Counter(
      "plectl_monitor_probe_runs_total",
      "Runs of a BPF program while the kernel's statistics were on, not all runs (bpf_prog_info)");
  MetricFamily& time =
      builder.Counter("plectl_monitor_probe_seconds_total", "Time of these runs (bpf_prog_info)");
  MetricFamily& missed = builder.Counter(
      "plectl_monitor_probe_missed_total",
      "Runs of a BPF program that the kernel skipped, each an event not counted (bpf_prog_info)");
  for (const auto& [program, cost] : own.probe_costs) {
    AddSample(missed, {{"program", program}}, static_cast<double>(cost.missed));
    if (cost.runs == 0) continue;
    AddSample(runs, {{"program", program}}, static_cast<double>(cost.runs));
    AddSample(time, {{"program", program}}, static_cast<double>(cost.time_ns) / kNsPerS);
  }
  if (own.probe_costs.empty()) return;
  AddSample(builder.Counter("plectl_monitor_lost_exits_total",
                            "VM exits of threads for which the probes had no room (BPF)"),
            {}, static_cast<double>(own.lost_exits));
}

void AddScrapes(const OwnState& own, MetricsBuilder& builder) {
  MetricFamily& scrapes = builder.Counter(
      "plectl_monitor_scrapes_total",
      "Scrapes by result; deadline: some figures are those of an earlier scrape (monitor)");
  AddSample(scrapes, {{"result", "complete"}}, static_cast<double>(own.scrapes_complete));
  AddSample(scrapes, {{"result", "deadline"}}, static_cast<double>(own.scrapes_deadline));
  AddSample(
      builder.Gauge("plectl_monitor_scrape_seconds",
                    "Time that the last scrape took to collect, without its transfer (monitor)"),
      {}, own.scrape_s);
}

}  // namespace

void AddOwnMetrics(const HostRoot& root, const OwnState& own, MetricsBuilder& builder) {
  AddSample(builder.Gauge("plectl_monitor_build_info", "The monitor's version (monitor)"),
            {{"version", std::string(kVersion)}}, 1);
  MetricFamily& healthy = builder.Gauge(
      "plectl_monitor_healthy", "Whether a part of the monitor works as it should now (monitor)");
  if (own.bpf_healthy) AddSample(healthy, {{"component", "bpf"}}, *own.bpf_healthy ? 1 : 0);
  AddSample(healthy, {{"component", "vms"}}, own.vms_healthy ? 1 : 0);
  AddProcess(root, builder);
  AddProbes(own, builder);
  AddScrapes(own, builder);
}

std::vector<MetricFamily> OwnFamilies(const HostRoot& root, const OwnState& own) {
  MetricsBuilder builder;
  AddOwnMetrics(root, own, builder);
  return builder.Take();
}

std::vector<MetricFamily> MonitorFamilies(const HostRoot& root, const MonitorState& state,
                                          const OwnState& own) {
  MetricsBuilder builder;
  AddOwnMetrics(root, own, builder);
  const Sampler& sampler = state.sampler;
  AddSample(builder.Gauge("plectl_monitor_healthy", ""), {{"component", "parameters"}},
            state.modules.healthy() ? 1 : 0);
  AddSample(builder.Gauge("plectl_monitor_vms", "VMs that have series (monitor)"), {},
            static_cast<double>(sampler.table().records().size()));
  AddSample(builder.Gauge("plectl_monitor_vcpus", "vCPUs that have series (monitor)"), {},
            static_cast<double>(sampler.vcpus()));
  AddSample(builder.Counter("plectl_monitor_dropped_vms_total",
                            "VMs without series since there were --vms-max already (monitor)"),
            {}, static_cast<double>(sampler.table().dropped()));
  AddSample(builder.Gauge("plectl_monitor_dropped_vcpus",
                          "vCPUs without series since there are --vcpus-max already (monitor)"),
            {}, static_cast<double>(sampler.dropped_vcpus()));
  AddModuleMetrics(state.modules, builder);
  AddHostMetrics(state, builder);
  AddVmMetrics(state, builder);
  AddVcpuMetrics(state, builder);
  return builder.Take();
}

}  // namespace plectl::monitor
