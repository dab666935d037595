// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/proc_modules.h"

#include <fmt/format.h>

#include "host_tools/base/text.h"

namespace plectl::host {

std::optional<ProcModule> FindProcModule(const HostRoot& root, std::string_view module) {
  constexpr size_t kStateField = 4;
  constexpr size_t kTaintsField = 6;
  const std::string text = root.Read("/proc/modules").value_or("");
  for (const std::string_view line : Split(text, '\n')) {
    const auto fields = Split(line, ' ');
    if (fields.front() != module || fields.size() <= kStateField) continue;
    ProcModule found{std::string(fields[kStateField]), {}};
    if (fields.size() > kTaintsField) found.taints = fields[kTaintsField];
    std::erase_if(found.taints, [](char c) { return c == '(' || c == ')'; });
    return found;
  }
  return std::nullopt;
}

bool IsUnsigned(const HostRoot& root, std::string_view module) {
  const auto taints = root.ReadTrimmed(fmt::format("/sys/module/{}/taint", module));
  if (taints) return taints->find('E') != std::string::npos;
  const auto listed = FindProcModule(root, module);
  return listed && listed->taints.find('E') != std::string::npos;
}

}  // namespace plectl::host
