// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::host {

enum class KvmModule { kIntel, kAmd };

// "kvm_intel" or "kvm_amd": the name under /sys/module.
std::string_view ModuleName(KvmModule module);
// The module of that name, or nothing.
std::optional<KvmModule> ModuleFromName(std::string_view name);

// Name -> value as text, as /sys/module/MODULE/parameters shows it.
using ParamValues = std::map<std::string, std::string>;

// What plectl knows of one tunable PLE parameter (Linux arch/x86/kvm/vmx/vmx.c, svm/svm.c).
struct PleParam {
  std::string_view name;
  uint64_t max;  // UINT_MAX (kvm_intel) or USHRT_MAX (kvm_amd)
  uint64_t kernel_default;
  std::string_view meaning;  // with its unit
};

// The five PLE parameters of a module: window (count), its grow, shrink and maximum, then the gap
// (threshold). The same place in both lists means the same thing.
const std::vector<PleParam>& PleParams(KvmModule module);
// The places in them.
enum PlePlace : size_t { kPleWindow, kPleGrow, kPleShrink, kPleMax, kPleGap };
// The name of the parameter at `place`: "ple_gap", "pause_filter_thresh".
std::string PleName(KvmModule module, PlePlace place);

// The module that has all of `names`; BadInput when a name is unknown (with a suggestion) or when
// Intel and AMD names are mixed. Nothing when `names` is empty.
Result<std::optional<KvmModule>> ModuleOfParams(const std::vector<std::string>& names);

// BadInput when one of `names` is a PLE parameter of the other module than `module`; the hint names
// its equivalent.
Status CheckParamsBelongTo(KvmModule module, const std::vector<std::string>& names);

// Refuses what the kernel would take but mangle (facts in docs/safety.md): values out of range,
// `*_grow` or `*_shrink` at or above the base window (KVM then adds or subtracts instead of
// multiplying; shrink can wrap below zero), a maximum below the base. `effective` is the whole set
// that the module would have: requested values over current ones. A key that is absent is not
// checked against the others, a key that is no PLE parameter is not looked at. A set that switches
// PAUSE exits off may have any window.
Status CheckPleValues(KvmModule module, const ParamValues& effective);

}  // namespace plectl::host
