// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl {

// The host's file tree as seen by plectl. "/" in production, a recorded tree in tests: every read
// of /proc, /sys, /etc and /var goes through here, so that no unit test depends on its machine.
class HostRoot {
 public:
  explicit HostRoot(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // The real path of the absolute host path `path` ("/sys/module").
  [[nodiscard]] std::filesystem::path Path(std::string_view path) const;
  [[nodiscard]] bool Exists(std::string_view path) const;
  // The whole file; an Environment error that names the path when it cannot be read.
  [[nodiscard]] Result<std::string> Read(std::string_view path) const;
  // The file without trailing white space.
  [[nodiscard]] Result<std::string> ReadTrimmed(std::string_view path) const;
  // The names in a directory, sorted.
  [[nodiscard]] Result<std::vector<std::string>> List(std::string_view path) const;
  [[nodiscard]] bool is_real() const { return root_ == "/"; }

 private:
  std::filesystem::path root_;
};

}  // namespace plectl
