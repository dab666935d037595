// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"

namespace plectl {

// All of a file that the user named. BadInput with the step `hint` where there is none; so is one
// of more than `bytes_max` bytes, of which no more is read. An Environment error where this user
// may not read it.
Result<std::string> ReadGivenFile(const std::filesystem::path& path, size_t bytes_max,
                                  std::string_view hint);

// The error of opening or reading such a file, as above.
Failure CannotReadGiven(const std::filesystem::path& path, const Error& error,
                        std::string_view hint);

}  // namespace plectl
