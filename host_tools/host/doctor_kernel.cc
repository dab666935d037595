// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the kernel: fixes of the directed yield, and KVM's other parameters.
#include <fmt/format.h>

#include <array>
#include <limits>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/kernel_fixes.h"

namespace plectl::host {
namespace {

constexpr size_t kVersionBytesMax = 256;
constexpr uint64_t kHaltPollDefaultNs = 200000;  // KVM_HALT_POLL_NS_DEFAULT on x86

std::string KernelFile(const HostRoot& root, std::string_view name) {
  const std::string path = fmt::format("/proc/sys/kernel/{}", name);
  return root.ReadTrimmed(path).value_or("").substr(0, kVersionBytesMax);
}

std::optional<KernelVersion> Version(const HostRoot& root) {
  return UpstreamVersion(KernelFile(root, "osrelease"), KernelFile(root, "version"));
}

std::string Seen(const HostRoot& root, std::string_view commit, std::string_view what) {
  return fmt::format("{} {} in {}", commit, what, KernelFile(root, "osrelease"));
}

Finding CannotTell(const HostRoot& root, std::string_view commit) {
  return Unknown(Seen(root, commit, "may or may not be") +
                     ": vendor and stable kernels take fixes back from later ones",
                 fmt::format("look for {} in the changelog of the kernel package", commit));
}

Finding LookAtLastBoosted(const DoctorFacts& facts) {
  constexpr std::string_view kCommit = "32bd348be3fa";
  const std::string_view has = HasLastBoostedVcpuFix(Version(facts.root));
  if (has == "yes") return Ok(Seen(facts.root, kCommit, "is"));
  if (has == "not_affected") return Ok(Seen(facts.root, kCommit, "is not needed"));
  if (has == "unknown") return CannotTell(facts.root, kCommit);
  return Warning(Seen(facts.root, kCommit, "is missing"),
                 "boot Linux 6.19 or later, or a backport");
}

Finding LookAtForfeit(const DoctorFacts& facts) {
  constexpr std::string_view kCommit = "79104becf42b";
  const std::string& has = facts.scheduler.forfeits_on_yield;
  if (has == "unknown") return CannotTell(facts.root, kCommit);
  return Ok(fmt::format("{} ({})", Seen(facts.root, kCommit, has == "yes" ? "is" : "is not"),
                        facts.scheduler.forfeits_because));
}

Finding LookAtNested(const DoctorFacts& facts) {
  if (!facts.module) return Unknown(facts.module.error().message);
  const std::optional<std::string> nested = facts.Param("nested");
  if (!nested) return Unknown("the module shows no parameter nested");
  return Ok(fmt::format("nested={}", *nested));
}

Finding LookAtHaltPoll(const DoctorFacts& facts) {
  const Result<std::string> text =
      facts.root.ReadTrimmed("/sys/module/kvm/parameters/halt_poll_ns");
  if (!text) return Unknown(text.error().message);
  const std::optional<uint64_t> ns = ParseUint(*text);
  if (!ns) return Unknown(fmt::format("halt_poll_ns holds \"{}\"", *text));
  if (*ns <= kHaltPollDefaultNs) return Ok(fmt::format("halt_poll_ns={}", *ns));
  return Warning(
      fmt::format("halt_poll_ns={} (kernel default {}){}", *ns, kHaltPollDefaultNs,
                  *ns == std::numeric_limits<uint32_t>::max() ? ": -1 is not off, 0 is" : ""),
      fmt::format("echo {} | sudo tee /sys/module/kvm/parameters/halt_poll_ns",
                  kHaltPollDefaultNs));
}

constexpr std::array kChecks = {
    Check{"fix_last_boosted_vcpu",
          "without it Linux 6.13 to 6.18 boosts the same vCPUs again and again after a PAUSE exit",
          LookAtLastBoosted},
    Check{"fix_forfeit_vruntime",
          "it changes what a directed yield does: never compare results with and without it",
          LookAtForfeit},
    Check{"nested", "guests of guests: an L1 sees the pause filter on AMD, but never Intel's PLE",
          LookAtNested},
    Check{"halt_poll_ns", "a halted vCPU that polls keeps a CPU from the vCPUs that wait for it",
          LookAtHaltPoll},
};

}  // namespace

std::span<const Check> KernelChecks() { return kChecks; }

}  // namespace plectl::host
