// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/load_obstacles.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/host/install_line.h"
#include "host_tools/host/modprobe_config.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/proc_modules.h"
#include "host_tools/host/sysctl_config.h"

namespace plectl::host {
namespace {

using Kind = ModuleRule::Kind;

bool HasWordOnCommandLine(const HostRoot& root, std::string_view start) {
  const std::string text = root.ReadTrimmed(kCommandLinePath).value_or("");
  return std::ranges::any_of(Split(text, ' '),
                             [&](std::string_view word) { return word.starts_with(start); });
}

// The kernel takes no module any more, and takes nothing back, until the next boot.
std::optional<LoadObstacle> ModulesDisabled(const HostRoot& root) {
  constexpr std::string_view kName = "kernel.modules_disabled";
  if (root.ReadTrimmed("/proc/sys/kernel/modules_disabled").value_or("0") == "0") return {};
  const std::string place = FindSysctlPlace(root, kName);
  return LoadObstacle{
      fmt::format("{}=1{}: the kernel loads and unloads no module until the next boot", kName,
                  place.empty() ? "" : fmt::format(" ({})", place)),
      place.empty() ? fmt::format("find what sets {} (sysctl.d, a boot script), then reboot "
                                  "without it",
                                  kName)
                    : fmt::format("remove {} at {}, then reboot", kName, place)};
}

// What makes this kernel insist on signatures, or "".
std::string SignatureRule(const HostRoot& root) {
  if (root.ReadTrimmed("/sys/module/module/parameters/sig_enforce").value_or("N") == "Y") {
    return HasWordOnCommandLine(root, "module.sig_enforce")
               ? "module.sig_enforce (/proc/cmdline)"
               : "module.sig_enforce=Y (Secure Boot, or CONFIG_MODULE_SIG_FORCE)";
  }
  const std::string lockdown = root.ReadTrimmed("/sys/kernel/security/lockdown").value_or("");
  for (const std::string_view level : {"integrity", "confidentiality"}) {
    if (lockdown.find(fmt::format("[{}]", level)) == std::string::npos) continue;
    return fmt::format("lockdown={}{}", level,
                       HasWordOnCommandLine(root, "lockdown=") ? " (/proc/cmdline)" : "");
  }
  return {};
}

LoadObstacle Unsigned(std::string_view what, std::string_view name, std::string_view rule) {
  return {fmt::format("{}, and {} lets only signed modules load", what, rule),
          fmt::format("sign {} with a key that this kernel trusts (mokutil, kmodsign), or boot "
                      "without {}",
                      name, rule.substr(0, rule.find(' ')))};
}

// A module that the kernel took before it became strict.
std::optional<LoadObstacle> LoadedUnsigned(const HostRoot& root, std::string_view name) {
  const std::string rule = SignatureRule(root);
  if (rule.empty() || !IsUnsigned(root, name)) return std::nullopt;
  return Unsigned(fmt::format("{} is unsigned (taint E)", name), name, rule);
}

// Of a module that is loaded, such a list says nothing new: it would not be.
std::optional<LoadObstacle> KernelBlacklisted(const HostRoot& root, std::string_view name) {
  const std::string text = root.ReadTrimmed(kCommandLinePath).value_or("");
  const ModprobeConfig config{{}, ParseCommandLineRules(text), {}};
  for (const std::string_view needed : {name, std::string_view("kvm")}) {
    const bool is_there = root.Exists(fmt::format("/sys/module/{}", needed));
    if (is_there || config.RuleFor(Kind::kKernelBlacklist, needed) == nullptr) continue;
    return LoadObstacle{
        fmt::format("module_blacklist={} on the kernel command line: the kernel refuses it",
                    needed),
        fmt::format("remove {} from module_blacklist= on the kernel command line, then reboot",
                    needed)};
  }
  return std::nullopt;
}

LoadStep AfterInstallLine(const InstallLine& line, std::string_view refused,
                          std::string_view name) {
  const std::string text = fmt::format("install {} {}", line.rule.pattern, line.rule.text);
  const std::string place = PlaceText(line.rule);
  if (line.effect == InstallLine::Effect::kRefuses) {
    return {fmt::format("remove the line \"{}\" at {}, then: sudo modprobe {}; or for this once: "
                        "sudo modprobe --ignore-install {}{}",
                        text, place, name, refused,
                        refused == name ? "" : fmt::format(" && sudo modprobe {}", name)),
            fmt::format("{} has \"{}\"", place, text)};
  }
  return {fmt::format("sudo modprobe {}", name),
          fmt::format("{} has \"{}\", which modprobe runs instead", place, text)};
}

// Root here is root of a part only: of a user namespace, or of a container without the capability.
std::string WhyRootMayNot(const HostRoot& root) {
  constexpr uint64_t kCapSysModule = 1ULL << 16;
  const std::string status = root.Read("/proc/self/status").value_or("");
  const std::string map(Trim(root.Read("/proc/self/uid_map").value_or("")));
  const auto fields = Split(map, ' ');
  if (!map.empty() && fields.back() != "4294967295") {
    return "root of a user namespace may not load modules";
  }
  const std::string_view text = LineAfter(status, "CapEff:").value_or("");
  uint64_t capabilities = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), capabilities, 16);
  if (error != std::errc() || (capabilities & kCapSysModule) != 0) return {};
  return "this process has no CAP_SYS_MODULE";
}

bool IsRoot(const HostRoot& root) {
  const std::string status = root.Read("/proc/self/status").value_or("");
  const auto uids = Split(LineAfter(status, "Uid:").value_or(""), '\t');
  return uids.size() > 1 && uids[1] == "0";
}

Status AsStatus(KvmModule module, const std::optional<LoadObstacle>& obstacle) {
  if (!obstacle) return OkStatus();
  return Environment(fmt::format("{} cannot be reloaded: {}", ModuleName(module), obstacle->seen),
                     obstacle->step);
}

}  // namespace

std::optional<LoadObstacle> FindKernelObstacle(const HostRoot& root, KvmModule module) {
  const std::string_view name = ModuleName(module);
  if (auto disabled = ModulesDisabled(root)) return disabled;
  if (auto unsigned_module = LoadedUnsigned(root, name)) return unsigned_module;
  return KernelBlacklisted(root, name);
}

std::optional<LoadObstacle> FindFileObstacle(const HostRoot& root, KvmModule module,
                                             const ModuleFile& file) {
  const std::string rule = SignatureRule(root);
  if (!rule.empty() && !file.is_signed) {
    return Unsigned(fmt::format("{} has no signature", file.path.string()), ModuleName(module),
                    rule);
  }
  const std::string another = WhyNotTheLoadedOne(root, module, file);
  if (another.empty()) return std::nullopt;
  return LoadObstacle{another,
                      "a kernel package was upgraded in place, or another build lies in updates/: "
                      "reboot, or install the running kernel's own modules"};
}

std::optional<LoadObstacle> FindLoadObstacle(const HostRoot& root, KvmModule module) {
  if (auto kernel = FindKernelObstacle(root, module)) return kernel;
  const Result<ModuleFile> file = FindModuleFile(root, module);
  if (file) return FindFileObstacle(root, module, *file);
  // A recording seldom has the modules too.
  if (!root.is_real()) return std::nullopt;
  return LoadObstacle{file.error().message, file.error().hint};
}

Status CheckKernelLoads(const HostRoot& root, KvmModule module) {
  if (!IsLoaded(root, module)) return OkStatus();
  return AsStatus(module, FindKernelObstacle(root, module));
}

Status CheckLoadableAgain(const HostRoot& root, KvmModule module) {
  return AsStatus(module, FindLoadObstacle(root, module));
}

LoadStep HowToLoad(const HostRoot& root, KvmModule module) {
  const std::string_view name = ModuleName(module);
  if (const auto obstacle = FindLoadObstacle(root, module)) return {obstacle->step, obstacle->seen};
  const ModprobeConfig config = ReadModprobeConfig(root);
  for (const std::string_view needed : {name, std::string_view("kvm")}) {
    if (root.Exists(fmt::format("/sys/module/{}", needed))) continue;
    const auto line = FindInstallLine(config, needed);
    if (line && line->effect != InstallLine::Effect::kLoads) {
      return AfterInstallLine(*line, needed, name);
    }
  }
  LoadStep step{fmt::format("sudo modprobe {}", name), {}};
  const ModuleRule* blacklisted = config.RuleFor(Kind::kBlacklist, name);
  if (blacklisted == nullptr) return step;
  step.why_not =
      fmt::format("{} has \"{} {}\", so that it is not loaded at boot", PlaceText(*blacklisted),
                  blacklisted->line == 0 ? "modprobe.blacklist=" : "blacklist", name);
  return step;
}

std::string StepAfterEperm(const HostRoot& root, KvmModule module) {
  if (const auto obstacle = FindLoadObstacle(root, module)) return obstacle->step;
  if (!IsRoot(root)) return "run as root (sudo)";
  const std::string why = WhyRootMayNot(root);
  if (!why.empty()) return fmt::format("run plectl on the host itself: {}", why);
  return "see dmesg: a security module of the kernel (lockdown, LoadPin, IMA, SELinux) may have "
         "refused it";
}

}  // namespace plectl::host
