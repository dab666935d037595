// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kernel_fixes.h"

#include <regex>
#include <string>
#include <tuple>

namespace plectl::host {
namespace {

bool IsBefore(const KernelVersion& version, int major, int minor) {
  return std::tie(version.major, version.minor) < std::tie(major, minor);
}

std::optional<KernelVersion> FromMatch(const std::smatch& match) {
  const std::string patch = match[3].str();
  return KernelVersion{std::stoi(match[1]), std::stoi(match[2]),
                       patch.empty() ? 0 : std::stoi(patch)};
}

}  // namespace

std::optional<KernelVersion> UpstreamVersion(std::string_view release, std::string_view build) {
  // At most four digits each, so that every number fits.
  static const std::regex bare_release(R"((\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:-rc\d{1,4})?)");
  static const std::regex debian_build(R"(\bDebian (\d{1,4})\.(\d{1,4})\.(\d{1,4})-)");
  std::smatch match;
  const std::string release_text(release);
  if (std::regex_match(release_text, match, bare_release)) return FromMatch(match);
  const std::string build_text(build);
  if (std::regex_search(build_text, match, debian_build)) return FromMatch(match);
  return std::nullopt;
}

bool IsKernelBefore(const HostRoot& root, int major, int minor) {
  static const std::regex numbers(R"((\d{1,4})\.(\d{1,4})([^\d].*)?)");
  const std::string release = root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or("");
  std::smatch match;
  if (!std::regex_match(release, match, numbers)) return true;
  return IsBefore({std::stoi(match[1]), std::stoi(match[2]), 0}, major, minor);
}

std::string_view HasLastBoostedVcpuFix(const std::optional<KernelVersion>& version) {
  if (!version) return "unknown";
  if (IsBefore(*version, 6, 13)) return "not_affected";
  if (!IsBefore(*version, 6, 19)) return "yes";
  // Of the series between, only the last two lived long enough to get it.
  return version->minor >= 17 && version->patch != 0 ? "unknown" : "no";
}

std::string_view HasForfeitVruntimeOnYield(const std::optional<KernelVersion>& version) {
  if (!version) return "unknown";
  if (IsBefore(*version, 6, 6)) return "no";
  if (!IsBefore(*version, 6, 19)) return "yes";
  // The first release of each stable series that has the backport. 6.18's is not known to us.
  constexpr KernelVersion kBackports[] = {{6, 6, 120}, {6, 12, 63}, {6, 17, 13}};
  for (const KernelVersion& backport : kBackports) {
    if (version->major != backport.major || version->minor != backport.minor) continue;
    return version->patch >= backport.patch ? "yes" : "no";
  }
  // Other series ended before it was made (2025-11), but for 6.18.
  return version->minor == 18 && version->patch != 0 ? "unknown" : "no";
}

std::string_view CountsFastPathExits(const std::optional<KernelVersion>& version) {
  if (!version) return "unknown";
  if (!IsBefore(*version, 6, 4)) return "yes";
  constexpr KernelVersion kBackports[] = {{5, 15, 117}, {6, 1, 34}};
  for (const KernelVersion& backport : kBackports) {
    if (version->major != backport.major || version->minor != backport.minor) continue;
    return version->patch >= backport.patch ? "yes" : "no";
  }
  return "no";
}

bool KvmLacksFastPathExits(const HostRoot& root, KvmModule module) {
  if (module != KvmModule::kIntel) return false;
  const auto apicv = root.ReadTrimmed("/sys/module/kvm_intel/parameters/enable_apicv");
  if (!apicv || *apicv != "Y") return false;
  const auto version = UpstreamVersion(root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or(""),
                                       root.ReadTrimmed("/proc/sys/kernel/version").value_or(""));
  return CountsFastPathExits(version) != "yes";
}

}  // namespace plectl::host
