// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/param_request.h"

#include <fmt/format.h>

#include "host_tools/base/text.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

std::vector<std::string> Names(const ParamValues& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const auto& [name, value] : values) names.push_back(name);
  return names;
}

Status CheckKnown(KvmModule module, const ParamValues& current, const ParamValues& values) {
  const std::vector<std::string> names = Names(current);
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const std::string& name : Names(values)) {
    if (current.contains(name)) continue;
    return BadInput(fmt::format("{} of this kernel has no parameter \"{}\"{}", ModuleName(module),
                                name, SuggestionText(name, known)),
                    fmt::format("see /sys/module/{}/parameters", ModuleName(module)));
  }
  return OkStatus();
}

Status CheckCpuTakes(const HostRoot& root, KvmModule module, const ParamValues& values) {
  for (const auto& [name, value] : values) {
    const std::optional<std::string> why = WhyForcedToZero(root, module, name);
    if (!why || value == "0") continue;
    return Environment(
        fmt::format("{}={} cannot be set: {}", name, value, *why),
        fmt::format("leave {} out, or use the lab: plectl sweep PLAN --host lab", name));
  }
  return OkStatus();
}

}  // namespace

Result<ParamValues> TargetValues(const HostRoot& root, KvmModule module, const ParamValues& current,
                                 const ParamValues& values) {
  PLECTL_RETURN_IF_ERROR(CheckParamsBelongTo(module, Names(values)));
  PLECTL_RETURN_IF_ERROR(CheckKnown(module, current, values));
  PLECTL_RETURN_IF_ERROR(CheckPleValues(module, values));
  PLECTL_RETURN_IF_ERROR(CheckCpuTakes(root, module, values));
  ParamValues target = current;
  for (const auto& [name, value] : values) target[name] = value;
  PLECTL_RETURN_IF_ERROR(CheckPleValues(module, target));
  return target;
}

}  // namespace plectl::host
