// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace plectl {

// As `plectl --version` prints it and run logs carry it.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace plectl
