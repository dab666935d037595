// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/experiment/plan_product.h"
#include "host_tools/experiment/plan_values.h"

namespace plectl::experiment {
namespace {

struct ParamAxis {
  std::string name;
  std::vector<Placed<uint64_t>> values;
};

// One value of each axis, in the order of the axes.
using Combination = std::vector<size_t>;

// The module that has all the parameters; the error is at the first one that it cannot have.
Result<host::KvmModule> ModuleOf(const YamlNode& params) {
  std::optional<host::KvmModule> module;
  std::vector<std::string> names;
  for (const YamlNode& key : params.keys) {
    names.push_back(key.text);
    const auto found = host::ModuleOfParams(names);
    if (!found) {
      return FailAt(key.place, found.error().message,
                    "a plan sweeps the pause-loop parameters of one module only; set any other "
                    "with modprobe options before the run");
    }
    module = *found;
  }
  if (!module) return FailAt(params.place, "params has no parameter; leave the key out instead");
  return *module;
}

Result<uint64_t> MaximumOf(host::KvmModule module, const YamlNode& key) {
  const std::vector<host::PleParam>& known = host::PleParams(module);
  const auto param = std::ranges::find(known, key.text, &host::PleParam::name);
  if (param != known.end()) return param->max;
  return FailAt(key.place, fmt::format("{} is a parameter of {}, but none that a plan can sweep",
                                       key.text, host::ModuleName(module)));
}

Result<std::vector<ParamAxis>> ReadAxes(host::KvmModule module, const YamlNode& params) {
  std::vector<ParamAxis> axes;
  for (size_t i = 0; i < params.keys.size(); ++i) {
    const YamlNode& key = params.keys[i];
    PLECTL_ASSIGN_OR_RETURN(const uint64_t max, MaximumOf(module, key));
    PLECTL_ASSIGN_OR_RETURN(auto values, ReadUintAxis(params.values[i], key.text, {0, max}));
    axes.push_back({key.text, std::move(values)});
  }
  return axes;
}

host::ParamValues ValuesOf(const std::vector<ParamAxis>& axes, const Combination& combination) {
  host::ParamValues values;
  for (size_t i = 0; i < axes.size(); ++i) {
    values[axes[i].name] = std::to_string(axes[i].values[combination[i]].value);
  }
  return values;
}

// The axis to blame for a combination that is refused: the last one without which it is fine.
size_t AxisToBlame(host::KvmModule module, const std::vector<ParamAxis>& axes,
                   const host::ParamValues& refused) {
  for (size_t i = axes.size(); i-- > 0;) {
    host::ParamValues others = refused;
    others.erase(axes[i].name);
    if (host::CheckPleValues(module, others)) return i;
  }
  return axes.size() - 1;
}

Failure Refuse(host::KvmModule module, const std::vector<ParamAxis>& axes,
               const Combination& combination, const Error& why) {
  const size_t blamed = AxisToBlame(module, axes, ValuesOf(axes, combination));
  std::string point;
  for (size_t i = 0; i < axes.size(); ++i) {
    point += fmt::format(" {}={}", axes[i].name, axes[i].values[combination[i]].value);
  }
  return FailAt(axes[blamed].values[combination[blamed]].place,
                fmt::format("the point{} is refused: {}", point, why.message), why.hint);
}

}  // namespace

Result<std::vector<host::ParamValues>> ReadParamSets(const YamlNode& params) {
  if (params.kind != YamlKind::kMap) {
    return FailAt(params.place, "params: expected a map of parameter names to values");
  }
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, ModuleOf(params));
  PLECTL_ASSIGN_OR_RETURN(const std::vector<ParamAxis> axes, ReadAxes(module, params));
  std::vector<uint64_t> sizes;
  for (const ParamAxis& axis : axes) sizes.push_back(axis.values.size());
  if (!BoundedProduct(sizes, kTrialsMax)) {
    return FailAt(params.place, fmt::format("params: more than {} combinations", kTrialsMax));
  }
  std::vector<host::ParamValues> sets;
  for (const Combination& combination : Combinations(sizes)) {
    host::ParamValues values = ValuesOf(axes, combination);
    if (const Status fine = host::CheckPleValues(module, values); !fine) {
      return Refuse(module, axes, combination, fine.error());
    }
    sets.push_back(std::move(values));
  }
  return sets;
}

}  // namespace plectl::experiment
