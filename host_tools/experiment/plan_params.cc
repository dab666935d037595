// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
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

std::string TwiceText(const host::ParamValues& set) {
  std::string text = "params: the set";
  for (const auto& [name, value] : set) text += fmt::format(" {}={}", name, value);
  return text + " stands twice";
}

// Every combination of the values of one map.
Result<std::vector<host::ParamValues>> ReadProduct(host::KvmModule module, const YamlNode& params) {
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

// The products of several maps, one after the other.
Result<std::vector<host::ParamValues>> ReadList(const YamlNode& list) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<const YamlNode*> items, AxisItems(list, "params"));
  std::vector<host::ParamValues> sets;
  std::set<host::ParamValues> known;
  std::optional<host::KvmModule> module;
  for (const YamlNode* item : items) {
    if (item->kind != YamlKind::kMap) {
      return FailAt(item->place, "params: expected a list of maps of parameter names to values");
    }
    PLECTL_ASSIGN_OR_RETURN(const host::KvmModule of_item, ModuleOf(*item));
    if (module.value_or(of_item) != of_item) {
      return FailAt(item->place,
                    fmt::format("params: the sets before are of {}, this one is of {}",
                                host::ModuleName(*module), host::ModuleName(of_item)),
                    "a plan sweeps the pause-loop parameters of one module only");
    }
    module = of_item;
    PLECTL_ASSIGN_OR_RETURN(std::vector<host::ParamValues> product, ReadProduct(of_item, *item));
    for (host::ParamValues& set : product) {
      if (!known.insert(set).second) return FailAt(item->place, TwiceText(set));
      sets.push_back(std::move(set));
    }
    if (sets.size() > kTrialsMax) {
      return FailAt(item->place, fmt::format("params: more than {} combinations", kTrialsMax));
    }
  }
  return sets;
}

}  // namespace

Result<std::vector<host::ParamValues>> ReadParamSets(const YamlNode& params) {
  if (params.kind == YamlKind::kList) return ReadList(params);
  if (params.kind != YamlKind::kMap) {
    return FailAt(params.place,
                  "params: expected a map of parameter names to values, or a list of such maps");
  }
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, ModuleOf(params));
  return ReadProduct(module, params);
}

}  // namespace plectl::experiment
