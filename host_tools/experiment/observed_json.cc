// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/observed_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "host_tools/experiment/exit_times_json.h"
#include "host_tools/experiment/window_json.h"
#include "host_tools/experiment/yields_json.h"

namespace plectl::experiment {
namespace {

using host::VcpuCounts;
using nlohmann::json;

void AddTo(const VcpuCounts& counts, json& vcpu) {
  vcpu["pause_exits"] = counts.pause_exits;
  if (counts.by_reason) vcpu["exits"] = *counts.by_reason;
  if (counts.hardware) vcpu["hardware"] = ToJson(*counts.hardware);
  if (counts.window) vcpu["window"] = ToJson(*counts.window);
  if (counts.exit_times) vcpu["exit_times"] = ToJson(*counts.exit_times);
  if (counts.directed_yields) vcpu["directed_yields"] = ToJson(*counts.directed_yields);
}

Result<VcpuCounts> FromJson(const JsonFields& vcpu, Keep keep) {
  VcpuCounts counts;
  PLECTL_ASSIGN_OR_RETURN(counts.pause_exits, vcpu.Uint("pause_exits"));
  if (vcpu.Has("exits")) {
    PLECTL_ASSIGN_OR_RETURN(counts.by_reason, vcpu.UintMap("exits", keep));
  }
  if (vcpu.Has("window")) {
    PLECTL_ASSIGN_OR_RETURN(counts.window, WindowFromJson(vcpu, "window", keep));
  }
  if (vcpu.Has("hardware")) {
    PLECTL_ASSIGN_OR_RETURN(counts.hardware, vcpu.CountMap("hardware"));
  }
  if (vcpu.Has("exit_times")) {
    PLECTL_ASSIGN_OR_RETURN(counts.exit_times, ExitTimesFromJson(vcpu, "exit_times"));
  }
  if (vcpu.Has("directed_yields")) {
    PLECTL_ASSIGN_OR_RETURN(counts.directed_yields, YieldsFromJson(vcpu, "directed_yields"));
  }
  return counts;
}

}  // namespace

void ObservedToJson(const std::vector<VcpuCounts>& observed, json& vcpus) {
  if (observed.size() != vcpus.size()) return;
  for (size_t i = 0; i < observed.size(); ++i) AddTo(observed[i], vcpus[i]);
}

Result<std::vector<VcpuCounts>> ObservedFromJson(const JsonFields& trial, Keep keep) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<JsonFields> vcpus, trial.ObjectList("vcpus"));
  std::vector<VcpuCounts> observed;
  const auto known = [](const JsonFields& vcpu) { return vcpu.Has("pause_exits"); };
  if (std::ranges::none_of(vcpus, known)) return observed;
  for (const JsonFields& vcpu : vcpus) {
    PLECTL_ASSIGN_OR_RETURN(VcpuCounts counts, FromJson(vcpu, keep));
    if (keep == Keep::kYes) observed.push_back(std::move(counts));
  }
  return observed;
}

}  // namespace plectl::experiment
