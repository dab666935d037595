// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plectl::lab {

// Whether `content` is an ELF file of the kind that shared libraries are (programs that may lie
// anywhere in memory are of it too).
bool IsSharedObject(std::string_view content);

// The name under which programs ask for this shared library (DT_SONAME). Nothing when it has none
// or `content` is no shared object of this machine, whatever it is.
std::optional<std::string> SonameOf(std::string_view content);

}  // namespace plectl::lab
