// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/ple_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr std::array kModules = {KvmModule::kIntel, KvmModule::kAmd};
constexpr uint64_t kUintMax = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kUshortMax = std::numeric_limits<uint16_t>::max();

struct Found {
  KvmModule module;
  size_t place;
};

std::optional<Found> Find(std::string_view name) {
  for (const KvmModule module : kModules) {
    const auto& params = PleParams(module);
    const auto found = std::ranges::find(params, name, &PleParam::name);
    if (found != params.end()) return Found{module, static_cast<size_t>(found - params.begin())};
  }
  return std::nullopt;
}

KvmModule OtherModule(KvmModule module) {
  return module == KvmModule::kIntel ? KvmModule::kAmd : KvmModule::kIntel;
}

Failure UnknownParam(std::string_view name) {
  std::vector<std::string_view> known;
  for (const KvmModule module : kModules) {
    for (const PleParam& param : PleParams(module)) known.push_back(param.name);
  }
  return BadInput(fmt::format("unknown PLE parameter \"{}\"{}", name, SuggestionText(name, known)),
                  fmt::format("the parameters are {}", fmt::join(known, ", ")));
}

Failure WrongModule(std::string_view name, const Found& found, std::string_view why) {
  const KvmModule wanted = OtherModule(found.module);
  const PleParam& equivalent = PleParams(wanted)[found.place];
  return BadInput(
      fmt::format("{} is a parameter of {}, but {}", name, ModuleName(found.module), why),
      fmt::format("its equivalent in {} is {} ({})", ModuleName(wanted), equivalent.name,
                  equivalent.meaning));
}

Status CheckRange(const PleParam& param, std::string_view text) {
  const std::optional<uint64_t> value = ParseUint(text);
  // The kernel reads a leading zero as octal: "010" would become 8.
  const bool canonical = value && std::to_string(*value) == text;
  if (canonical && *value <= param.max) return OkStatus();
  return BadInput(fmt::format("{}={} is not a value of this parameter", param.name, text),
                  fmt::format("give a decimal number from 0 to {}", param.max));
}

// A modifier at or above the base is not a factor any more (__grow_ple_window() and
// __shrink_ple_window() in arch/x86/kvm/x86.h); 0 means "back to the base" and is always fine.
Status CheckModifier(const PleParam& modifier, const PleParam& base, uint64_t value,
                     uint64_t base_value, std::string_view what_kvm_does) {
  if (value == 0 || value < base_value) return OkStatus();
  return BadInput(
      fmt::format("{}={} is at or above {}={}: KVM would {}", modifier.name, value, base.name,
                  base_value, what_kvm_does),
      fmt::format("use 0 (back to {} at once) or a factor below {}", base.name, base.name));
}

// Without PAUSE exits the window has no effect, whatever the values make of it.
bool IsSwitchedOff(KvmModule module, const ParamValues& values) {
  const auto is_zero = [&](PlePlace place) {
    const auto found = values.find(PleName(module, place));
    return found != values.end() && found->second == "0";
  };
  return is_zero(kPleGap) || (module == KvmModule::kAmd && is_zero(kPleWindow));
}

}  // namespace

std::string_view ModuleName(KvmModule module) {
  return module == KvmModule::kIntel ? "kvm_intel" : "kvm_amd";
}

std::optional<KvmModule> ModuleFromName(std::string_view name) {
  const auto found = std::ranges::find(kModules, name, ModuleName);
  return found == kModules.end() ? std::nullopt : std::optional(*found);
}

const std::vector<PleParam>& PleParams(KvmModule module) {
  static const std::vector<PleParam> intel_params = {
      {"ple_window", kUintMax, 4096, "longest spin loop before an exit, TSC cycles"},
      {"ple_window_grow", kUintMax, 2, "factor of the window after each exit; 0: fixed"},
      {"ple_window_shrink", kUintMax, 0, "divisor after sched-out; 0: back to ple_window"},
      {"ple_window_max", kUintMax, kUintMax, "the window never grows above it, TSC cycles"},
      {"ple_gap", kUintMax, 128, "longest time between two PAUSEs of a loop, TSC cycles; 0: off"},
  };
  static const std::vector<PleParam> amd_params = {
      {"pause_filter_count", kUshortMax, 3000, "PAUSEs before an exit; 0: off"},
      {"pause_filter_count_grow", kUshortMax, 2, "factor of the count after each exit; 0: fixed"},
      {"pause_filter_count_shrink", kUshortMax, 0, "divisor after sched-out; 0: back to the count"},
      {"pause_filter_count_max", kUshortMax, kUshortMax, "the count never grows above it, PAUSEs"},
      {"pause_filter_thresh", kUshortMax, 128,
       "longest time between two PAUSEs of a loop, cycles; 0: off"},
  };
  return module == KvmModule::kIntel ? intel_params : amd_params;
}

std::string PleName(KvmModule module, PlePlace place) {
  return std::string(PleParams(module)[place].name);
}

Result<std::optional<KvmModule>> ModuleOfParams(const std::vector<std::string>& names) {
  std::optional<KvmModule> module;
  for (const std::string& name : names) {
    const std::optional<Found> found = Find(name);
    if (!found) return UnknownParam(name);
    if (module && *module != found->module) {
      return WrongModule(name, *found,
                         fmt::format("{} is one of {}", names.front(), ModuleName(*module)));
    }
    module = found->module;
  }
  return module;
}

Status CheckParamsBelongTo(KvmModule module, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::optional<Found> found = Find(name);
    if (!found || found->module == module) continue;
    return WrongModule(name, *found, fmt::format("this host runs {}", ModuleName(module)));
  }
  return OkStatus();
}

Status CheckPleValues(KvmModule module, const ParamValues& effective) {
  const auto& params = PleParams(module);
  const auto value_at = [&](PlePlace place) -> std::optional<uint64_t> {
    const auto found = effective.find(std::string(params[place].name));
    return found == effective.end() ? std::nullopt : ParseUint(found->second);
  };
  for (const PleParam& param : params) {
    const auto found = effective.find(std::string(param.name));
    if (found != effective.end()) PLECTL_RETURN_IF_ERROR(CheckRange(param, found->second));
  }
  if (IsSwitchedOff(module, effective)) return OkStatus();
  const std::optional<uint64_t> base = value_at(kPleWindow);
  if (!base) return OkStatus();
  PLECTL_RETURN_IF_ERROR(CheckModifier(params[kPleGrow], params[kPleWindow],
                                       value_at(kPleGrow).value_or(0), *base,
                                       "add it instead of multiplying by it"));
  PLECTL_RETURN_IF_ERROR(
      CheckModifier(params[kPleShrink], params[kPleWindow], value_at(kPleShrink).value_or(0), *base,
                    "subtract it instead of dividing by it, and can wrap below zero"));
  const std::optional<uint64_t> max = value_at(kPleMax);
  if (!max || *max >= *base) return OkStatus();
  return BadInput(
      fmt::format("{}={} is below {}={}: the first growth would make the window smaller",
                  params[kPleMax].name, *max, params[kPleWindow].name, *base),
      fmt::format("use {} of at least {}", params[kPleMax].name, *base));
}

}  // namespace plectl::host
