// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/vcpu_account.h"

#include <algorithm>
#include <map>

namespace plectl::experiment {

std::vector<VcpuTimes> TimesOf(std::span<const guests::VcpuResult> vcpus,
                               std::span<const int> cpus) {
  std::vector<VcpuTimes> times;
  for (size_t id = 0; id < vcpus.size() && !cpus.empty(); ++id) {
    const guests::VcpuResult& vcpu = vcpus[id];
    times.push_back({cpus[id % cpus.size()], vcpu.active_ns, vcpu.slept_ns, vcpu.stopped_ns});
  }
  return times;
}

Count LongestStopNs(std::span<const VcpuTimes> vcpus) {
  Count longest = vcpus.empty() ? Count::Missing("there is no vCPU") : vcpus.front().stopped_ns;
  for (const VcpuTimes& vcpu : vcpus) {
    if (!vcpu.stopped_ns.has_value()) continue;
    const bool is_longer = !longest.has_value() || vcpu.stopped_ns.value() > longest.value();
    if (is_longer) longest = vcpu.stopped_ns;
  }
  return longest;
}

Count LostNs(std::span<const VcpuTimes> vcpus, const std::function<Count(int cpu)>& run_ns_on) {
  std::map<int, uint64_t> wanted_ns;  // of each CPU: its busiest vCPU alone wanted it so long
  for (const VcpuTimes& vcpu : vcpus) {
    if (!vcpu.slept_ns.has_value()) return vcpu.slept_ns;
    const auto active_ns = static_cast<uint64_t>(std::max<int64_t>(0, vcpu.active_ns));
    const uint64_t awake_ns = active_ns - std::min(active_ns, vcpu.slept_ns.value());
    wanted_ns[vcpu.cpu] = std::max(wanted_ns[vcpu.cpu], awake_ns);
  }
  uint64_t lost_ns = 0;
  for (const auto& [cpu, wanted] : wanted_ns) {
    Count run_ns = run_ns_on(cpu);
    if (!run_ns.has_value()) return run_ns;
    lost_ns += wanted - std::min(wanted, run_ns.value());
  }
  return lost_ns;
}

}  // namespace plectl::experiment
