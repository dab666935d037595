// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/host_root.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl {

std::filesystem::path HostRoot::Path(std::string_view path) const {
  return root_ / std::filesystem::path(path).relative_path();
}

bool HostRoot::Exists(std::string_view path) const {
  std::error_code error;
  return std::filesystem::exists(Path(path), error);
}

Result<std::string> HostRoot::Read(std::string_view path) const { return ReadFile(Path(path)); }

Result<std::string> HostRoot::ReadTrimmed(std::string_view path) const {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, Read(path));
  return std::string(TrimRight(text));
}

Result<std::vector<std::string>> HostRoot::List(std::string_view path) const {
  std::error_code error;
  std::filesystem::directory_iterator entries(Path(path), error);
  if (error) return SystemFailure(fmt::format("list {}", Path(path).string()), error.value());
  std::vector<std::string> names;
  for (; entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (error) return SystemFailure(fmt::format("list {}", Path(path).string()), error.value());
    names.push_back(entries->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace plectl
