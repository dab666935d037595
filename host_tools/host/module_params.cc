// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_params.h"

#include <fmt/format.h>

#include <algorithm>

#include "host_tools/base/text.h"
#include "host_tools/host/cpu_info.h"
#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/proc_modules.h"

namespace plectl::host {
namespace {

// For every command, with options that it has.
constexpr std::string_view kInTheLab =
    "or use the lab, an emulated host: plectl lab exec -- plectl params show; plectl sweep PLAN "
    "--host lab";

std::string SysPath(KvmModule module, std::string_view below = {}) {
  return fmt::format("/sys/module/{}{}", ModuleName(module), below);
}

bool CpuHas(const HostRoot& root, std::string_view flag) {
  const Result<CpuInfo> cpu = CpuInfo::Read(root);
  return cpu && cpu->HasFlag("flags", flag).value_or(false);
}

// What serves /dev/kvm in place of the two. One that is built in holds nothing, but has a folder.
std::string OtherServer(const HostRoot& root) {
  std::vector<std::string> names =
      root.List("/sys/module/kvm/holders").value_or(std::vector<std::string>{});
  if (names.empty()) names = root.List("/sys/module").value_or(std::vector<std::string>{});
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("kvm_"); });
  return names.empty() ? "another module" : fmt::format("{}", fmt::join(names, ", "));
}

// Loaded, or just not: the kernel shows no parameters of it here.
Failure Hidden(const HostRoot& root, KvmModule module) {
  const std::string_view name = ModuleName(module);
  const std::string state = FindProcModule(root, name).value_or(ProcModule{}).state;
  if (state == "Live") {
    return Environment(
        fmt::format("{} is loaded (/proc/modules), but /sys/module does not show it here", name),
        "run plectl on the host itself, or let the container see /sys/module");
  }
  return Environment(fmt::format("{} is {} just now (/proc/modules)", name,
                                 state == "Loading" ? "being loaded" : "being unloaded"),
                     "try again; see dmesg when it stays so");
}

// A module that this CPU could use, but that is not loaded.
Failure NotLoaded(const HostRoot& root, KvmModule module, std::string_view flag) {
  const LoadStep load = HowToLoad(root, module);
  return Environment(fmt::format("{} is not loaded, though this CPU has {}{}", ModuleName(module),
                                 flag, load.why_not.empty() ? "" : ": " + load.why_not),
                     load.step);
}

// Neither module is there: says as exactly as the host lets us what stands in the way.
Failure NoModule(const HostRoot& root) {
  if (const auto hidden = HiddenModule(root)) return Hidden(root, *hidden);
  if (root.Exists("/sys/module/kvm") && root.Exists("/dev/kvm")) {
    return Environment(
        fmt::format("neither kvm_intel nor kvm_amd is loaded: /dev/kvm is served by {}, which has "
                    "no PLE parameters; how it handles exits is not known",
                    OtherServer(root)),
        fmt::format("PLE needs VMX or SVM on the host itself; {}", kInTheLab));
  }
  for (const auto& [flag, module] :
       {std::pair("vmx", KvmModule::kIntel), std::pair("svm", KvmModule::kAmd)}) {
    if (CpuHas(root, flag)) return NotLoaded(root, module, flag);
  }
  return Environment(
      "neither kvm_intel nor kvm_amd is loaded, and this CPU shows neither vmx nor svm",
      fmt::format("enable VT-x or AMD-V in the firmware (or nesting below); {}", kInTheLab));
}

}  // namespace

std::optional<KvmModule> HiddenModule(const HostRoot& root) {
  for (const KvmModule module : {KvmModule::kIntel, KvmModule::kAmd}) {
    if (!IsLoaded(root, module) && FindProcModule(root, ModuleName(module))) return module;
  }
  return std::nullopt;
}

bool IsLoaded(const HostRoot& root, KvmModule module) {
  return root.Exists(SysPath(module, "/parameters"));
}

// Only loadable modules have a state there (kernel/module/sysfs.c).
bool IsBuiltIn(const HostRoot& root, KvmModule module) {
  return IsLoaded(root, module) && !root.Exists(SysPath(module, "/initstate"));
}

Result<KvmModule> LoadedModule(const HostRoot& root) {
  const bool intel = IsLoaded(root, KvmModule::kIntel);
  const bool amd = IsLoaded(root, KvmModule::kAmd);
  // Built-in modules both show their parameters, whichever of them drives the CPU.
  if (intel && amd) return CpuHas(root, "svm") ? KvmModule::kAmd : KvmModule::kIntel;
  if (intel) return KvmModule::kIntel;
  if (amd) return KvmModule::kAmd;
  return NoModule(root);
}

Result<ParamValues> ReadParams(const HostRoot& root, KvmModule module) {
  const std::string folder = SysPath(module, "/parameters");
  PLECTL_ASSIGN_OR_RETURN(const std::vector<std::string> names, root.List(folder));
  ParamValues values;
  for (const std::string& name : names) {
    PLECTL_ASSIGN_OR_RETURN(values[name], root.ReadTrimmed(fmt::format("{}/{}", folder, name)));
  }
  return values;
}

ParamValues SettableValues(const ParamValues& values) {
  ParamValues settable;
  for (const auto& [name, value] : values) {
    const bool one_word = !value.empty() && value.find_first_of(" \t\n\"'()?") == value.npos;
    const bool taints = name == "force_avic" && value == "N";
    if (one_word && !taints) settable.emplace(name, value);
  }
  return settable;
}

std::string OptionString(const ParamValues& values) {
  std::vector<std::string> options;
  for (const auto& [name, value] : values) options.push_back(fmt::format("{}={}", name, value));
  return fmt::format("{}", fmt::join(options, " "));
}

std::vector<std::string> Differences(const ParamValues& expected, const ParamValues& actual) {
  std::vector<std::string> differences;
  for (const auto& [name, value] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end()) {
      differences.push_back(fmt::format("{} is not there any more", name));
    } else if (found->second != value) {
      differences.push_back(fmt::format("{} is {} instead of {}", name, found->second, value));
    }
  }
  return differences;
}

}  // namespace plectl::host
