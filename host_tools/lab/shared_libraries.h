// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// Where the lab has them.
inline constexpr std::string_view kLibraryDirectory = "/lib/x86_64-linux-gnu";

// A library that a program loads: `name` as the loader looks it up; a path for the loader itself.
// `file` is empty when it is not on this machine.
struct SharedLibrary {
  std::string name;
  std::filesystem::path file;
  friend bool operator==(const SharedLibrary&, const SharedLibrary&) = default;
};

// From the output of ldd(1) in the C locale.
std::vector<SharedLibrary> ParseLdd(std::string_view output);

// Runs ldd on `program`; nothing when it is a static program. What is not on this machine is among
// them too.
Result<std::vector<SharedLibrary>> WantedLibrariesOf(const std::filesystem::path& program);

// The same; an Environment error when one of them is not on this machine.
Result<std::vector<SharedLibrary>> SharedLibrariesOf(const std::filesystem::path& program);

}  // namespace plectl::lab
