// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// The loaded one of the two modules. Environment error when neither is loaded (says whether
// /dev/kvm is served by another module, and what to do).
Result<KvmModule> LoadedModule(const HostRoot& root);

// The one that is loaded, though /sys/module does not show it: containers often have none of it.
std::optional<KvmModule> HiddenModule(const HostRoot& root);

// Whether /sys/module has it, as a loaded module or built into the kernel.
bool IsLoaded(const HostRoot& root, KvmModule module);

// Whether it is part of the kernel image, so that only the kernel command line sets its parameters.
bool IsBuiltIn(const HostRoot& root, KvmModule module);

// Every parameter of a loaded module.
Result<ParamValues> ReadParams(const HostRoot& root, KvmModule module);

// The values of `values` that the module takes back as options when it is loaded again. Left out is
// what its sysfs shows but its parser refuses ("not required", "EPT disabled" of kvm_intel's
// vmentry_l1d_flush: states that KVM finds by itself), and force_avic=N of kvm_amd, the default,
// since naming it at all taints the kernel (module_param_unsafe).
ParamValues SettableValues(const ParamValues& values);

// "a=1 b=2": a module's option string.
std::string OptionString(const ParamValues& values);

// "ple_gap is 0 instead of 128", one per parameter of `expected` that `actual` lacks or has with
// another value.
std::vector<std::string> Differences(const ParamValues& expected, const ParamValues& actual);

// Why KVM forces `param` of `module` to 0 on this CPU, or nothing when it does not, or when the
// kernel does not say what the CPU has.
std::optional<std::string> WhyForcedToZero(const HostRoot& root, KvmModule module,
                                           std::string_view param);

// Why PLE cannot fire on this host whatever the window (no hardware, no PFTHRESHOLD, ple_gap=0,
// pause_filter_count=0 or thresh=0), or nothing when it can. `values` as read back.
Result<std::optional<std::string>> WhyPleIsOff(const HostRoot& root, KvmModule module,
                                               const ParamValues& values);

}  // namespace plectl::host
