// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// Removes a directory with all it holds when this object is destroyed, and also when this process
// is killed: a small process of its own session waits for the end of a pipe that only we hold.
// It is ready when Start() returns, so start it before the directory exists.
class Janitor {
 public:
  static Result<Janitor> Start(const std::filesystem::path& directory);
  Janitor(Janitor&& other) noexcept;
  Janitor& operator=(Janitor&&) = delete;
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;
  ~Janitor();

 private:
  Janitor(pid_t pid, Fd lifeline) : pid_(pid), lifeline_(std::move(lifeline)) {}
  pid_t pid_;
  Fd lifeline_;
};

}  // namespace plectl::lab
