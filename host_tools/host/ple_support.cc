// SPDX-License-Identifier: Apache-2.0
// What the CPU lets KVM do with PAUSE: vmx_hardware_setup() of arch/x86/kvm/vmx/vmx.c,
// svm_hardware_setup() and svm_vm_init() of arch/x86/kvm/svm/svm.c.
#include <fmt/format.h>

#include <algorithm>

#include "host_tools/host/cpu_info.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

bool IsPleParam(KvmModule module, std::string_view name) {
  return std::ranges::count(PleParams(module), name, &PleParam::name) > 0;
}

// A module without the parameter (an old kernel) cannot have it at 0.
bool IsZero(const ParamValues& values, const std::string& name) {
  const auto found = values.find(name);
  return found != values.end() && found->second == "0";
}

std::optional<std::string> WhyIntelForcesZero(const CpuInfo& cpu) {
  if (cpu.HasFlag("vmx flags", "ple").value_or(true)) return std::nullopt;
  const bool guest = cpu.HasFlag("flags", "hypervisor").value_or(false);
  return fmt::format("this CPU offers no pause-loop exiting{}, so KVM sets all ple_* to 0",
                     guest ? " (it is virtual, and KVM never shows PLE to a guest)" : "");
}

std::optional<std::string> WhyAmdForcesZero(const CpuInfo& cpu, std::string_view param) {
  if (param != "pause_filter_count" && param != "pause_filter_thresh") return std::nullopt;
  if (!cpu.HasFlag("flags", "pausefilter").value_or(true)) {
    return "this CPU has no pause filter (PAUSEFILTER), so KVM sets its count and threshold to 0";
  }
  if (param == "pause_filter_count" || cpu.HasFlag("flags", "pfthreshold").value_or(true)) {
    return std::nullopt;
  }
  return "this CPU has a pause filter without threshold (no PFTHRESHOLD), so KVM sets "
         "pause_filter_thresh to 0 and leaves the filter off";
}

std::optional<std::string> FirstZero(const ParamValues& values,
                                     const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (IsZero(values, name)) return fmt::format("{}=0 turns PAUSE exits off", name);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> WhyForcedToZero(const HostRoot& root, KvmModule module,
                                           std::string_view param) {
  if (!IsPleParam(module, param)) return std::nullopt;
  const Result<CpuInfo> cpu = CpuInfo::Read(root);
  if (!cpu) return std::nullopt;
  return module == KvmModule::kIntel ? WhyIntelForcesZero(*cpu) : WhyAmdForcesZero(*cpu, param);
}

Result<std::optional<std::string>> WhyPleIsOff(const HostRoot& root, KvmModule module,
                                               const ParamValues& values) {
  const std::vector<std::string> switches =
      module == KvmModule::kIntel
          ? std::vector<std::string>{"ple_gap"}
          : std::vector<std::string>{"pause_filter_count", "pause_filter_thresh"};
  for (const std::string& name : switches) {
    if (std::optional<std::string> why = WhyForcedToZero(root, module, name)) return why;
  }
  return FirstZero(values, switches);
}

}  // namespace plectl::host
