// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kernel_defaults.h"

#include <string>
#include <tuple>

#include "host_tools/base/text.h"
#include "host_tools/host/kernel_fixes.h"

namespace plectl::host {
namespace {

constexpr uint64_t kOldWindowMax = 1073741823;  // INT_MAX / KVM_VMX_DEFAULT_PLE_WINDOW_GROW

// "5.14.0-427.el9.x86_64" is built upon 5.14 and has at least its changes.
std::optional<std::tuple<uint64_t, uint64_t>> BaseVersion(std::string_view release) {
  const auto parts = Split(release, '.');
  if (parts.size() < 2) return std::nullopt;
  const auto major = ParseUint(parts[0]);
  const auto minor = ParseUint(parts[1].substr(0, parts[1].find_first_not_of("0123456789")));
  if (!major || !minor) return std::nullopt;
  return std::tuple(*major, *minor);
}

}  // namespace

std::optional<uint64_t> KernelDefault(const HostRoot& root, const PleParam& param) {
  if (param.name != "ple_window_max") return param.kernel_default;
  const std::string release = root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or("");
  const auto version = BaseVersion(release);
  if (!version) return std::nullopt;
  if (*version >= std::tuple(4, 18)) return param.kernel_default;
  // Vendors take changes back.
  const std::string build = root.ReadTrimmed("/proc/sys/kernel/version").value_or("");
  const bool is_upstream = UpstreamVersion(release, build).has_value();
  if (!is_upstream || *version >= std::tuple(4, 17)) return std::nullopt;
  return kOldWindowMax;
}

}  // namespace plectl::host
