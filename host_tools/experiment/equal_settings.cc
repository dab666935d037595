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

// What a growth makes of the least window, which is the base: a factor below the base multiplies,
// others are added.
uint64_t Grown(uint64_t window, uint64_t grow) {
  return grow < window ? window * grow : window + grow;
}

// Above the base, a shrink wraps around below 0 and leaves the greatest window there is.
bool ShrinkWraps(const ParamValues& params, const Names& names) {
  const std::optional<uint64_t> window = NumberIn(params, names.window);
  const std::optional<uint64_t> shrink = NumberIn(params, names.shrink);
  return window && shrink && *shrink > *window;
}

// __grow_ple_window() gives the base for grow 0, whatever the maximum is, and the window itself for
// grow 1 unless the base is no more than that, and nothing above the maximum.
bool IsFixed(const ParamValues& params, const Names& names) {
  if (ShrinkWraps(params, names)) return false;
  const std::optional<uint64_t> grow = NumberIn(params, names.grow);
  const std::optional<uint64_t> window = NumberIn(params, names.window);
  const std::optional<uint64_t> max = NumberIn(params, names.max);
  if (grow && *grow == 0) return true;
  if (window && max && *max < *window) return false;
  if (grow && *grow == 1) return !window || *window > 1;
  return window && window == max;
}

// Whether any growth ends at the maximum, however large its factor is.
bool JumpsToMax(const ParamValues& params, const Names& names) {
  const std::optional<uint64_t> grow = NumberIn(params, names.grow);
  const std::optional<uint64_t> window = NumberIn(params, names.window);
  const std::optional<uint64_t> max = NumberIn(params, names.max);
  constexpr uint64_t kMax = UINT32_MAX;  // of all of them; keeps Grown() from overflowing
  return grow && window && max && *grow >= 1 && *grow <= kMax && *window <= kMax &&
         Grown(*window, *grow) >= *max;
}

// Whether any shrink ends at the base, as it does for 0.
bool ShrinksToBase(const ParamValues& params, const Names& names) {
  const std::optional<uint64_t> shrink = NumberIn(params, names.shrink);
  const std::optional<uint64_t> window = NumberIn(params, names.window);
  const std::optional<uint64_t> max = NumberIn(params, names.max);
  return shrink && window && max && *shrink >= 1 && *shrink < *window && *max / *shrink <= *window;
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
  if (!IsFixed(params, names)) {
    if (JumpsToMax(params, names)) params[names.grow] = "to the maximum";
    if (ShrinksToBase(params, names)) params[names.shrink] = "0";
    return;
  }
  for (const char* name : {names.grow, names.shrink, names.max}) params.erase(name);
  params["fixed"] = names.window;
}

}  // namespace

ParamValues EffectOf(const ParamValues& params) {
  ParamValues effect = params;
  for (const Names& names : kModules) Reduce(names, effect);
  return effect;
}

std::string WhyEqual(const ParamValues& params) {
  const ParamValues effect = EffectOf(params);
  if (effect.contains("off")) return "PLE is off";
  if (effect.contains("fixed")) return "the window never changes";
  return "the window changes by the same steps";
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
