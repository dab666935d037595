// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/proc_stat.h"

#include "host_tools/base/text.h"

namespace plectl {

std::optional<uint64_t> ProcStatField(std::string_view stat, size_t number) {
  constexpr size_t kFirstAfterName = 3;
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos || number < kFirstAfterName) return std::nullopt;
  const auto fields = Split(stat.substr(name_end + 2), ' ');
  if (number - kFirstAfterName >= fields.size()) return std::nullopt;
  return ParseUint(fields[number - kFirstAfterName]);
}

}  // namespace plectl
