// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the PLE parameters: now, at the kernel's defaults, and after the next
// load.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/kernel_defaults.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/param_journal.h"
#include "host_tools/host/pause_interval.h"

namespace plectl::host {
namespace {

// What the configuration sets a parameter to when the module is loaded next, or nothing when the
// kernel's default comes. Of a built-in module modprobe.d says nothing.
const ModuleOption* NextSetting(const DoctorFacts& facts, std::string_view param) {
  const ModuleOption* last = nullptr;
  for (const ModuleOption& option : facts.next_options) {
    if (option.name == param) last = &option;
  }
  return last;
}

// What comes with the next load.
struct NextValue {
  const ModuleOption* setting = nullptr;  // nothing: the kernel's default
  std::optional<uint64_t> value;          // nothing when it cannot be told, or is not taken
};
NextValue Next(const DoctorFacts& facts, const PleParam& param) {
  const ModuleOption* setting = NextSetting(facts, param.name);
  if (setting == nullptr) return {nullptr, KernelDefault(facts.root, param)};
  const std::optional<uint64_t> value = ParseKernelUint(setting->value.value_or(""));
  return {setting, value && *value <= param.max ? value : std::nullopt};
}

std::string SettingText(const ModuleOption& setting) {
  return fmt::format("{}{} ({})", setting.name, setting.value ? "=" + *setting.value : "",
                     PlaceText(setting));
}

// "at FILE:LINE", or where a word of the kernel command line is changed: nobody edits
// /proc/cmdline.
std::string WhereToSet(const ModuleOption& setting) {
  return IsFromCommandLine(setting) ? "on the kernel command line" : "at " + PlaceText(setting);
}

Finding ForcedToZero(const PleParam& param, const ModuleOption* next) {
  const std::string seen = fmt::format("{}=0, which KVM forces on this CPU (kernel default {})",
                                       param.name, param.kernel_default);
  if (next == nullptr) return Ok(seen);
  return Warning(fmt::format("{}, in spite of {}", seen, SettingText(*next)),
                 fmt::format("remove it {}", WhereToSet(*next)));
}

std::string SeenText(const DoctorFacts& facts, const PleParam& param, const std::string& now) {
  const std::optional<uint64_t> by_kernel = KernelDefault(facts.root, param);
  if (!by_kernel) return fmt::format("{}={} (this kernel's default is unknown)", param.name, now);
  if (now == std::to_string(*by_kernel)) {
    return fmt::format("{}={}, the kernel default", param.name, now);
  }
  return fmt::format("{}={} (kernel default {})", param.name, now, *by_kernel);
}

// What keeps a value that no configuration names, and what takes it away.
std::string HowToKeep(const DoctorFacts& facts, const PleParam& param, const std::string& now) {
  const std::string_view module = ModuleName(*facts.module);
  if (facts.built_in) {
    return fmt::format("to keep it: {}.{}={} on the kernel command line", module, param.name, now);
  }
  const std::string keep =
      fmt::format("to keep it: a line \"options {} {}={}\" in /etc/modprobe.d/plectl.conf", module,
                  param.name, now);
  const std::optional<uint64_t> by_kernel = KernelDefault(facts.root, param);
  if (CheckJournalClean(facts.root) && by_kernel) {  // then there is nothing to restore
    return fmt::format("{}; to undo it: sudo plectl params set {}={}", keep, param.name,
                       *by_kernel);
  }
  return keep + "; to undo it: sudo plectl params restore";
}

Finding ChangesAtNextLoad(const DoctorFacts& facts, const PleParam& param, const std::string& now,
                          const NextValue& next) {
  const std::string seen = SeenText(facts, param, now);
  if (next.setting == nullptr) {
    return Warning(fmt::format("{}; nothing keeps it: the next load gives the default", seen),
                   HowToKeep(facts, param, now));
  }
  std::string fix = fmt::format("set what you want {}", WhereToSet(*next.setting));
  if (facts.built_in) {
    fix += "; it counts from the next boot on";
  } else if (next.value) {
    fix += fmt::format("; to have it now: sudo plectl params set {}={}", param.name, *next.value);
  }
  return Warning(fmt::format("{}; the next load takes {}", seen, SettingText(*next.setting)), fix);
}

// The program that modprobe runs instead of loading may set what it likes.
bool IsNextLoadUnknown(const DoctorFacts& facts) {
  return facts.install_line && facts.install_line->effect == InstallLine::Effect::kUnknown;
}

Finding CompareWithNext(const DoctorFacts& facts, const PleParam& param, const std::string& now) {
  const std::string seen = SeenText(facts, param, now);
  const NextValue next = Next(facts, param);
  if (IsNextLoadUnknown(facts)) {
    return Unknown(fmt::format("{}; the next load is what {} runs", seen,
                               PlaceText(facts.install_line->rule)));
  }
  if (next.setting == nullptr && !next.value) return Unknown(seen);
  if (!next.value || std::to_string(*next.value) != now) {
    return ChangesAtNextLoad(facts, param, now, next);
  }
  return Ok(next.setting == nullptr ? seen
                                    : fmt::format("{}, set by {}", seen, PlaceText(*next.setting)));
}

Finding LookAtParam(const DoctorFacts& facts, size_t place) {
  if (!facts.module) return Unknown(facts.module.error().message);
  const PleParam& param = PleParams(*facts.module)[place];
  const std::optional<std::string> now = facts.Param(param.name);
  if (!now) return Unknown(fmt::format("this module has no {}: an older kernel", param.name));
  if (*now == "0" && WhyForcedToZero(facts.root, *facts.module, param.name)) {
    return ForcedToZero(param, NextSetting(facts, param.name));
  }
  return CompareWithNext(facts, param, *now);
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
    const NextValue next = Next(facts, param);
    if (next.setting != nullptr && !next.value) {
      return BadInput(fmt::format("the kernel does not take {}", SettingText(*next.setting)),
                      fmt::format("correct it: a number from 0 to {}", param.max));
    }
    if (next.value) values.emplace(param.name, std::to_string(*next.value));
  }
  return values;
}

// Known everywhere as "PLE off", which it is not (safety.md).
std::optional<Finding> ExitsAtEachPause(const DoctorFacts& facts, const ParamValues& values,
                                        std::string_view when) {
  const auto is_zero = [&](const std::string& name) {
    const auto found = values.find(name);
    return found != values.end() && found->second == "0";
  };
  if (!is_zero("ple_window") || is_zero("ple_gap")) return std::nullopt;
  return Warning(fmt::format("{}ple_window=0 is not off: nearly every pair of PAUSEs exits", when),
                 facts.built_in
                     ? "to switch PLE off: kvm_intel.ple_gap=0 on the kernel command line"
                     : "to switch PLE off: sudo plectl params set ple_gap=0");
}

Finding LookAtNextValues(const DoctorFacts& facts) {
  const Result<ParamValues> next = NextValues(facts);
  if (!next) return Warning("at the next load: " + next.error().message, next.error().hint);
  if (auto each = ExitsAtEachPause(facts, *next, "at the next load: ")) return *std::move(each);
  if (const Status later = CheckPleValues(*facts.module, *next); !later) {
    return Warning("at the next load: " + later.error().message, later.error().hint);
  }
  return Ok("KVM does with each value what its name says");
}

Finding LookAtValues(const DoctorFacts& facts) {
  if (!facts.module) return Unknown(facts.module.error().message);
  if (!facts.params) return Unknown(facts.params.error().message);
  const KvmModule module = *facts.module;
  const auto off = WhyPleIsOff(facts.root, module, *facts.params);
  if (off && *off) {
    Finding next = LookAtNextValues(facts);
    return next.verdict == Verdict::kOk ? Ok("PLE is off, so the other values have no effect")
                                        : next;
  }
  if (auto each = ExitsAtEachPause(facts, *facts.params, "")) return *std::move(each);
  if (const Status now = CheckPleValues(module, *facts.params); !now) {
    return Warning(now.error().message, now.error().hint);
  }
  return LookAtNextValues(facts);
}

// Many CPUs since Skylake need 140 cycles for a PAUSE, and the kernel's default gap is 128.
Finding LookAtGapReach(const DoctorFacts& facts) {
  if (!facts.module) return Unknown(facts.module.error().message);
  const std::string name = PleName(*facts.module, kPleGap);
  const std::optional<std::string> value = facts.Param(name);
  const std::optional<uint64_t> gap = value ? ParseUint(*value) : std::nullopt;
  if (!gap) return Unknown(fmt::format("this module shows no {}", name));
  if (*gap == 0) return Ok("PLE is off");
  if (!facts.root.is_real()) {
    return Ok(fmt::format("{} is {}; a recorded host has no CPU to measure", name, *gap));
  }
  const double interval = PauseIntervalTscCycles();
  if (const auto why = WhyGapOutOfReach(name, *gap, interval)) {
    const std::string least = fmt::format("{}={:.0f}", name, std::ceil(interval));
    return Warning(*why,
                   facts.built_in
                       ? fmt::format("at least {}.{} on the kernel command line",
                                     ModuleName(*facts.module), least)
                       : fmt::format("sudo plectl calibrate finds the gap for this CPU's locks; at "
                                     "least: sudo plectl params set {}",
                                     least));
  }
  return Ok(fmt::format("a PAUSE takes {:.1f} TSC cycles, {} is {}", interval, name, *gap));
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
    Check{"gap_reach", "PAUSEs that are further apart than the gap are no loop to the CPU",
          LookAtGapReach},
    Check{"param_values", "some values KVM takes, but does not do with them what their names say",
          LookAtValues},
};

}  // namespace

std::span<const Check> ParamChecks() { return kChecks; }

}  // namespace plectl::host
