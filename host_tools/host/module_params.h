// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

enum class KvmModule { kIntel, kAmd };

// "kvm_intel" or "kvm_amd": the name under /sys/module.
std::string_view ModuleName(KvmModule module);

// Name -> value as text, as /sys/module/MODULE/parameters shows it.
using ParamValues = std::map<std::string, std::string>;

// What plectl knows of one tunable PLE parameter (Linux arch/x86/kvm/vmx/vmx.c, svm/svm.c).
struct PleParam {
  std::string_view name;
  uint64_t max;  // UINT_MAX (kvm_intel) or USHRT_MAX (kvm_amd)
  uint64_t kernel_default;
};

// The five PLE parameters of a module, window or count first.
const std::vector<PleParam>& PleParams(KvmModule module);

// The module that has all of `names`; BadInput when a name is unknown (with a suggestion) or when
// Intel and AMD names are mixed. Nothing when `names` is empty.
Result<std::optional<KvmModule>> ModuleOfParams(const std::vector<std::string>& names);

// Refuses what the kernel would take but mangle (facts in docs/safety.md): values out of range,
// `*_grow` or `*_shrink` at or above the base window (KVM then adds or subtracts instead of
// multiplying; shrink can wrap below zero), a maximum below the base. `effective` is the whole set
// that the module would have: requested values over current ones. A key that is absent is not
// checked against the others.
Status CheckPleValues(KvmModule module, const ParamValues& effective);

// The loaded one of the two modules. Environment error when neither is loaded (says whether
// /dev/kvm is served by another module, and what to do).
Result<KvmModule> LoadedModule(const HostRoot& root);

// Every parameter of a loaded module.
Result<ParamValues> ReadParams(const HostRoot& root, KvmModule module);

// Why PLE cannot fire on this host whatever the window (no hardware, no PFTHRESHOLD, ple_gap=0,
// pause_filter_count=0 or thresh=0), or nothing when it can. `values` as read back.
Result<std::optional<std::string>> WhyPleIsOff(const HostRoot& root, KvmModule module,
                                               const ParamValues& values);

}  // namespace plectl::host
