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
struct SharedLibrary {
  std::string name;
  std::filesystem::path file;
  friend bool operator==(const SharedLibrary&, const SharedLibrary&) = default;
};

// From the output of ldd(1) in the C locale. An Environment error when a library was not found.
Result<std::vector<SharedLibrary>> ParseLdd(std::string_view output);

// Runs ldd on `program`; nothing when it is a static program.
Result<std::vector<SharedLibrary>> SharedLibrariesOf(const std::filesystem::path& program);

}  // namespace plectl::lab
