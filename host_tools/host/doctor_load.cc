// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of what a sweep needs of the module beside its being there: that it can be
// loaded again, and that /dev/kvm is its device.
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

// "rule (place)" for those that only change what modprobe does.
std::vector<std::string> ModprobeNotes(const DoctorFacts& facts, std::string_view name) {
  std::vector<std::string> notes;
  if (facts.install_line) {
    const ModuleRule& rule = facts.install_line->rule;
    notes.push_back(fmt::format("{} has \"install {} {}\", which modprobe runs instead",
                                PlaceText(rule), rule.pattern, rule.text));
  }
  using Kind = ModuleRule::Kind;
  if (const ModuleRule* rule = facts.config.RuleFor(Kind::kBlacklist, name)) {
    notes.push_back(fmt::format("{} blacklists it: not loaded at boot", PlaceText(*rule)));
  }
  if (const ModuleRule* rule = facts.config.RuleFor(Kind::kSoftdep, name)) {
    notes.push_back(
        fmt::format("{} has \"softdep {} {}\"", PlaceText(*rule), rule->pattern, rule->text));
  }
  return notes;
}

// An initcall that the command line takes away, of a KVM in the kernel's image.
std::optional<std::string> InitcallTakenAway(const HostRoot& root) {
  const std::string command_line = root.ReadTrimmed(kCommandLinePath).value_or("");
  constexpr std::string_view kStart = "initcall_blacklist=";
  for (const std::string_view word : Split(command_line, ' ')) {
    if (!word.starts_with(kStart)) continue;
    for (const std::string_view call : Split(word.substr(kStart.size()), ',')) {
      if (call == "vmx_init" || call == "vt_init" || call == "svm_init") return std::string(call);
    }
  }
  return std::nullopt;
}

Finding LookAtBuiltInStart(const DoctorFacts& facts) {
  const auto call = InitcallTakenAway(facts.root);
  if (!call) return Ok("built in: nothing is to be loaded");
  return Blocker(fmt::format("initcall_blacklist={} on the kernel command line: the built-in KVM "
                             "does not start",
                             *call),
                 fmt::format("remove {} there, then reboot", *call));
}

// What the kernel starts to load a module on demand.
bool CannotLoadOnDemand(const HostRoot& root) {
  const auto helper = root.ReadTrimmed("/proc/sys/kernel/modprobe");
  return helper && (helper->empty() || helper->ends_with("/false") || helper->ends_with("/true"));
}

Finding LookAtLoading(const DoctorFacts& facts) {
  const std::optional<KvmModule> wanted = facts.WantedModule();
  if (!wanted) return Unknown("this CPU needs no KVM module that is known here");
  if (facts.IsInKernelImage()) return LookAtBuiltInStart(facts);
  const std::string_view name = ModuleName(*wanted);
  if (const auto obstacle = FindLoadObstacle(facts.root, *wanted)) {
    return Blocker(obstacle->seen, obstacle->step);
  }
  const auto notes = ModprobeNotes(facts, name);
  if (facts.install_line && facts.install_line->effect != InstallLine::Effect::kLoads) {
    return Warning(fmt::format("{}", fmt::join(notes, "; ")),
                   facts.module ? "reloads by plectl do not run it; look at what loads KVM at boot"
                                : HowToLoad(facts.root, *wanted).step);
  }
  if (CannotLoadOnDemand(facts.root)) {
    return Warning(fmt::format("kernel.modprobe=\"{}\": the kernel loads nothing on demand",
                               facts.root.ReadTrimmed("/proc/sys/kernel/modprobe").value_or("")),
                   fmt::format("load KVM by name: sudo modprobe {}; or set kernel.modprobe back "
                               "(usually /sbin/modprobe)",
                               name));
  }
  if (!notes.empty()) return Ok(fmt::format("{}", fmt::join(notes, "; ")));
  return Ok(fmt::format("nothing keeps {} from being loaded", name));
}

// What stands at /dev/kvm, when that is not the device; a recording has a file in its place.
std::optional<std::string> NotTheDevice(const HostRoot& root) {
  constexpr unsigned kMajor = 10;   // MISC_MAJOR
  constexpr unsigned kMinor = 232;  // KVM_MINOR
  struct stat status {};
  if (::stat(root.Path("/dev/kvm").c_str(), &status) != 0) return std::nullopt;
  if (S_ISCHR(status.st_mode)) {
    if (status.st_rdev == ::makedev(kMajor, kMinor)) return std::nullopt;
    return fmt::format("character device {}:{}", ::major(status.st_rdev), ::minor(status.st_rdev));
  }
  if (S_ISREG(status.st_mode)) {
    return root.is_real() ? std::optional<std::string>("a file") : std::nullopt;
  }
  return S_ISDIR(status.st_mode) ? "a directory" : "no character device";
}

constexpr std::string_view kMakeNode =
    "sudo udevadm trigger --name-match=kvm, or sudo mknod -m 660 /dev/kvm c 10 232";

Finding DeviceMissing(const DoctorFacts& facts) {
  constexpr std::string_view kSeen = "/dev/kvm is not there";
  if (facts.hidden) {
    return Blocker(std::string(kSeen),
                   "run plectl on the host itself, or let the container have /dev/kvm");
  }
  if (!facts.module) return Blocker(std::string(kSeen), "load the KVM module (see kvm_module)");
  return Blocker(fmt::format("{}, though {} is loaded", kSeen, ModuleName(*facts.module)),
                 fmt::format("in a container: let it have /dev/kvm (docker run --device /dev/kvm); "
                             "on the host itself: {}",
                             kMakeNode));
}

// To join a group helps only where that group may, and root's own is not to be joined.
std::string HowToMayOpen(const HostRoot& root) {
  constexpr std::string_view kSudo = "run sweeps with sudo";
  constexpr mode_t kGroupMay = S_IRGRP | S_IWGRP;
  struct stat status {};
  if (::stat(root.Path("/dev/kvm").c_str(), &status) != 0) return std::string(kSudo);
  const bool group_may = (status.st_mode & kGroupMay) == kGroupMay && status.st_gid != 0;
  const struct group* group = group_may ? ::getgrgid(status.st_gid) : nullptr;
  if (group == nullptr) return std::string(kSudo);
  return fmt::format("{}, or: sudo usermod -aG {} $USER, and log in again", kSudo, group->gr_name);
}

Finding LookAtDevice(const DoctorFacts& facts) {
  if (!facts.root.Exists("/dev/kvm")) return DeviceMissing(facts);
  if (const auto what = NotTheDevice(facts.root)) {
    return Blocker(fmt::format("/dev/kvm is {}, not character device 10:232", *what),
                   fmt::format("move it away, then: {}", kMakeNode));
  }
  if (::access(facts.root.Path("/dev/kvm").c_str(), R_OK | W_OK) == 0) {
    return Ok("/dev/kvm can be opened");
  }
  return Warning(fmt::format("/dev/kvm cannot be opened by this user: {}", std::strerror(errno)),
                 HowToMayOpen(facts.root));
}

constexpr std::array kChecks = {
    Check{"module_load", "PLE parameters change only when the module is loaded again",
          LookAtLoading},
    Check{"dev_kvm", "the guests of a sweep are started through it", LookAtDevice},
};

}  // namespace

std::span<const Check> LoadChecks() { return kChecks; }

}  // namespace plectl::host
