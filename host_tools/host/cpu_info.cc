// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/cpu_info.h"

#include <algorithm>

#include "host_tools/base/text.h"

namespace plectl::host {

Result<CpuInfo> CpuInfo::Read(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.Read("/proc/cpuinfo"));
  return Parse(text);
}

CpuInfo CpuInfo::Parse(std::string_view text) {
  CpuInfo info;
  for (const std::string_view line : Split(text, '\n')) {
    if (Trim(line).empty() && !info.fields_.empty()) break;  // the next processor follows
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    info.fields_.emplace(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  }
  return info;
}

std::optional<std::string> CpuInfo::Field(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<bool> CpuInfo::HasFlag(std::string_view field, std::string_view flag) const {
  const auto found = fields_.find(field);
  if (found == fields_.end()) return std::nullopt;
  return std::ranges::count(Split(found->second, ' '), flag) > 0;
}

}  // namespace plectl::host
