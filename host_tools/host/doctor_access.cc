// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of what the observers need (docs/observers.md).
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

enum class Presence { kThere, kNotThere, kHidden };

// Unlike HostRoot::Exists(), tells a file that is not there from one that may not be looked at.
Presence Look(const HostRoot& root, const std::string& path) {
  std::error_code error;
  switch (std::filesystem::status(root.Path(path), error).type()) {
    case std::filesystem::file_type::not_found:
      return Presence::kNotThere;
    case std::filesystem::file_type::none:
      return Presence::kHidden;
    default:
      return Presence::kThere;
  }
}

// A built-in KVM is described with the kernel itself.
std::vector<std::string> NeededTypes(const DoctorFacts& facts) {
  if (facts.built_in) return {"vmlinux"};
  std::vector<std::string> names = {"vmlinux", "kvm"};
  if (facts.module) names.emplace_back(ModuleName(*facts.module));
  return names;
}

Finding LookAtBtf(const DoctorFacts& facts) {
  std::vector<std::string> missing;
  for (const std::string& name : NeededTypes(facts)) {
    const std::string path = "/sys/kernel/btf/" + name;
    if (Look(facts.root, path) != Presence::kThere) missing.push_back(path);
  }
  if (missing.empty()) return Ok("the kernel describes its types and KVM's");
  const std::string seen = fmt::format("not there: {}", fmt::join(missing, ", "));
  if (!facts.module) {
    return Unknown(fmt::format("{}; {}", seen, facts.module.error().message),
                   facts.module.error().hint);
  }
  return Warning(seen, "use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES=y, or --observer perf");
}

Finding LookAtTracefs(const DoctorFacts& facts) {
  for (const std::string folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (Look(facts.root, folder + "/events/kvm/kvm_exit/id") == Presence::kThere) {
      return Ok(fmt::format("{} has kvm:kvm_exit", folder));
    }
    if (Look(facts.root, folder + "/events") == Presence::kHidden) {
      return Unknown(fmt::format("{} may not be looked at by this user", folder),
                     std::string(kAskRoot));
    }
    if (Look(facts.root, folder + "/events") == Presence::kThere) {
      return facts.module ? Warning("tracefs has no tracepoint kvm:kvm_exit",
                                    "use a kernel with CONFIG_FTRACE=y, or --observer bpf")
                          : Unknown(facts.module.error().message, facts.module.error().hint);
    }
  }
  return Warning("tracefs is not mounted", "sudo mount -t tracefs tracefs /sys/kernel/tracing");
}

Finding LookAtPerf(const DoctorFacts& facts) {
  constexpr std::string_view kPath = "/proc/sys/kernel/perf_event_paranoid";
  if (Look(facts.root, std::string(kPath)) == Presence::kNotThere) {
    return Warning("the kernel has no perf events", "use a kernel with CONFIG_PERF_EVENTS=y");
  }
  const Result<std::string> level = facts.root.ReadTrimmed(kPath);
  if (!level) return Unknown(level.error().message);
  return Ok(fmt::format("perf_event_paranoid={}, which does not bind root", *level));
}

// "none [integrity] confidentiality": the level in brackets holds.
std::string LockdownLevel(const std::string& text) {
  const size_t open = text.find('[');
  const size_t close = text.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return text.substr(open + 1, close - open - 1);
}

Finding NoLockdownFile(const HostRoot& root) {
  const auto names = root.List("/sys/kernel/security").value_or(std::vector<std::string>{});
  if (!names.empty()) return Ok("this kernel has no lockdown");
  return Unknown("securityfs is not mounted",
                 "sudo mount -t securityfs securityfs /sys/kernel/security");
}

Finding LookAtLockdown(const DoctorFacts& facts) {
  const std::string path = "/sys/kernel/security/lockdown";
  if (Look(facts.root, path) == Presence::kNotThere) return NoLockdownFile(facts.root);
  const Result<std::string> text = facts.root.ReadTrimmed(path);
  if (!text) return Unknown(text.error().message, std::string(kAskRoot));
  const std::string level = LockdownLevel(*text);
  if (level == "none") return Ok("none");
  if (level == "integrity") return Ok("integrity: signed modules reload, observers work");
  if (level != "confidentiality") return Unknown(fmt::format("{} holds \"{}\"", path, *text));
  Finding finding = Blocker("confidentiality", "boot with lockdown=integrity, or Secure Boot off");
  finding.why = "tracefs, kprobes and BPF reads of kernel memory are refused: no observer works";
  return finding;
}

constexpr std::array kChecks = {
    Check{"btf", "the BPF observers, cheapest and with all reasons, find KVM's structures by it",
          LookAtBtf},
    Check{"tracefs", "the perf observers, for hosts without BPF, find KVM's tracepoints there",
          LookAtTracefs},
    Check{"perf_event_paranoid", "the perf observers and the TSC frequency need perf events",
          LookAtPerf},
    Check{"lockdown", "a locked-down kernel refuses observers", LookAtLockdown},
};

}  // namespace

std::span<const Check> AccessChecks() { return kChecks; }

}  // namespace plectl::host
