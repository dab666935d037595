// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace plectl {

// A numeric field of /proc/PID/stat or of a thread's, counted from 1 (proc(5)); only those after
// the name, so 3 and higher: the name may hold anything, blanks and parentheses too. Nothing when
// it is not there or no unsigned number.
std::optional<uint64_t> ProcStatField(std::string_view stat, size_t number);

}  // namespace plectl
