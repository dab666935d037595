// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/equal_settings.h"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "host_tools/base/text.h"

namespace plectl::experiment {
namespace {

using host::ParamValues;

// What kvm_intel and kvm_amd call the same things.
struct Names {
  const char* window;
  const char* grow;
  const char* shrink;
  const char* max;
  std::array<const char*, 2> off_at_zero;  // each turns PLE off when it is 0
};
constexpr Names kModules[] = {
    {"ple_window",
     "ple_window_grow",
     "ple_window_shrink",
     "ple_window_max",
     {"ple_gap", "ple_gap"}},
    {"pause_filter_count",
     "pause_filter_count_grow",
     "pause_filter_count_shrink",
     "pause_filter_count_max",
     {"pause_filter_count", "pause_filter_thresh"}},
};

std::optional<uint64_t> NumberIn(const ParamValues& params, const char* name) {
  const auto found = params.find(name);
  return found == params.end() ? std::nullopt : ParseUint(found->second);
}

bool IsOff(const ParamValues& params, const Names& names) {
  for (const char* name : names.off_at_zero) {
    if (NumberIn(params, name) == 0) return true;
  }
  return false;
}

// __grow_ple_window() gives the base for grow 0 and the window itself for grow 1, and nothing above
// the maximum.
bool IsFixed(const ParamValues& params, const Names& names) {
  const std::optional<uint64_t> grow = NumberIn(params, names.grow);
  if (grow && *grow <= 1) return true;
  const std::optional<uint64_t> window = NumberIn(params, names.window);
  return window && window == NumberIn(params, names.max);
}

void Reduce(const Names& names, ParamValues& params) {
  if (IsOff(params, names)) {
    for (const char* name : {names.window, names.grow, names.shrink, names.max,
                             names.off_at_zero[0], names.off_at_zero[1]}) {
      params.erase(name);
    }
    params["off"] = names.off_at_zero[0];
    return;
  }
  if (!IsFixed(params, names)) return;
  for (const char* name : {names.grow, names.shrink, names.max}) params.erase(name);
  params["fixed"] = names.window;
}

}  // namespace

ParamValues EffectOf(const ParamValues& params) {
  ParamValues effect = params;
  for (const Names& names : kModules) Reduce(names, effect);
  return effect;
}

std::vector<ParamValues> TakeEqualSettings(std::vector<ParamValues>& sets) {
  std::set<ParamValues> effects;
  std::vector<ParamValues> kept;
  std::vector<ParamValues> taken;
  for (ParamValues& set : sets) {
    (effects.insert(EffectOf(set)).second ? kept : taken).push_back(std::move(set));
  }
  sets = std::move(kept);
  return taken;
}

}  // namespace plectl::experiment
