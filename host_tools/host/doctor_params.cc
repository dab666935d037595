// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the PLE parameters: now, at the kernel's defaults, and after the next
// load.
#include <fmt/format.h>

#include <array>

#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

// What the configuration sets a parameter to when the module is loaded next, or nothing when the
// kernel's default comes. Of a built-in module modprobe.d says nothing.
const ModuleOption* NextSetting(const DoctorFacts& facts, std::string_view param) {
  const ModuleOption* last = nullptr;
  for (const ModuleOption& option : facts.config.options) {
    if (option.module != ModuleName(*facts.module) || option.name != param) continue;
    if (!facts.built_in || IsFromCommandLine(option)) last = &option;
  }
  return last;
}

// Nothing when the kernel would not take it.
std::optional<uint64_t> NextValue(const ModuleOption* next, const PleParam& param) {
  if (next == nullptr) return param.kernel_default;
  const std::optional<uint64_t> value = ParseKernelUint(next->value.value_or(""));
  return value && *value <= param.max ? value : std::nullopt;
}

std::string NextText(const ModuleOption& next) {
  return fmt::format("{}{} ({})", next.name, next.value ? "=" + *next.value : "", PlaceText(next));
}

Finding ForcedToZero(const PleParam& param, const ModuleOption* next) {
  const std::string seen = fmt::format("{}=0, which KVM forces on this CPU (kernel default {})",
                                       param.name, param.kernel_default);
  if (next == nullptr) return Ok(seen);
  return Warning(fmt::format("{}, in spite of {}", seen, NextText(*next)),
                 fmt::format("remove it: {}", PlaceText(*next)));
}

Finding ChangesAtNextLoad(KvmModule module, const std::string& now, const std::string& seen,
                          const ModuleOption* next) {
  if (next == nullptr) {
    return Warning(
        fmt::format("{}; nothing keeps it: the next load gives the default", seen),
        fmt::format("to keep it: a line \"options {} {}\" in /etc/modprobe.d/plectl.conf;"
                    " to undo it: sudo plectl params restore",
                    ModuleName(module), now));
  }
  return Warning(fmt::format("{}; the next load takes {}", seen, NextText(*next)),
                 fmt::format("set what you want at {}; to have it now: sudo plectl params set",
                             PlaceText(*next)));
}

Finding LookAtParam(const DoctorFacts& facts, size_t place) {
  if (!facts.module) return Unknown(facts.module.error().message);
  const PleParam& param = PleParams(*facts.module)[place];
  const std::optional<std::string> now = facts.Param(param.name);
  if (!now) return Unknown(fmt::format("this module has no {}: an older kernel", param.name));
  const ModuleOption* next = NextSetting(facts, param.name);
  if (*now == "0" && WhyForcedToZero(facts.root, *facts.module, param.name)) {
    return ForcedToZero(param, next);
  }
  const bool is_default = *now == std::to_string(param.kernel_default);
  const std::string seen =
      is_default ? fmt::format("{}={}, the kernel default", param.name, *now)
                 : fmt::format("{}={} (kernel default {})", param.name, *now, param.kernel_default);
  const std::optional<uint64_t> next_value = NextValue(next, param);
  if (!next_value || std::to_string(*next_value) != *now) {
    return ChangesAtNextLoad(*facts.module, fmt::format("{}={}", param.name, *now), seen, next);
  }
  return Ok(next == nullptr ? seen : fmt::format("{}, set by {}", seen, PlaceText(*next)));
}

template <size_t kPlace>
Finding LookAtParamAt(const DoctorFacts& facts) {
  return LookAtParam(facts, kPlace);
}

// The parameters after the next load; the finding when the kernel would refuse to load.
Result<ParamValues> NextValues(const DoctorFacts& facts) {
  ParamValues values;
  for (const PleParam& param : PleParams(*facts.module)) {
    if (!facts.Param(param.name)) continue;
    const ModuleOption* next = NextSetting(facts, param.name);
    const std::optional<uint64_t> value = NextValue(next, param);
    if (!value) {
      return BadInput(fmt::format("the kernel does not take {}", NextText(*next)),
                      fmt::format("correct it: a number from 0 to {}", param.max));
    }
    values.emplace(param.name, std::to_string(*value));
  }
  return values;
}

// Known everywhere as "PLE off", which it is not (safety.md).
bool ExitsAtEachPause(const DoctorFacts& facts) {
  return facts.Param("ple_window") == "0" && facts.Param("ple_gap") != "0";
}

Finding LookAtValues(const DoctorFacts& facts) {
  if (!facts.module) return Unknown(facts.module.error().message);
  if (!facts.params) return Unknown(facts.params.error().message);
  const KvmModule module = *facts.module;
  const auto off = WhyPleIsOff(facts.root, module, *facts.params);
  if (off && *off) return Ok("PLE is off, so the other values have no effect");
  if (ExitsAtEachPause(facts)) {
    return Warning("ple_window=0 is not off: nearly every pair of PAUSEs exits",
                   "to switch PLE off: sudo plectl params set ple_gap=0");
  }
  if (const Status now = CheckPleValues(module, *facts.params); !now) {
    return Warning(now.error().message, now.error().hint);
  }
  const Result<ParamValues> next = NextValues(facts);
  if (!next) return Warning("at the next load: " + next.error().message, next.error().hint);
  if (const Status later = CheckPleValues(module, *next); !later) {
    return Warning("at the next load: " + later.error().message, later.error().hint);
  }
  return Ok("KVM does with each value what its name says");
}

constexpr std::array kChecks = {
    Check{"param_window", "how long a vCPU may spin in PAUSE before it exits, at first",
          LookAtParamAt<0>},
    Check{"param_window_grow",
          "with the default 2 the window outgrows every spin after 20 exits (AMD: 5)",
          LookAtParamAt<1>},
    Check{"param_window_shrink", "with the default 0, a vCPU starts anew after each sched-out",
          LookAtParamAt<2>},
    Check{"param_window_max", "how rare the exits of a vCPU that keeps spinning become",
          LookAtParamAt<3>},
    Check{"param_gap", "PAUSEs further apart than this are no loop: too small, and PLE never fires",
          LookAtParamAt<4>},
    Check{"param_values", "some values KVM takes, but does not do with them what their names say",
          LookAtValues},
};

}  // namespace

std::span<const Check> ParamChecks() { return kChecks; }

}  // namespace plectl::host
