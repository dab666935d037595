// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::monitor {

// The daemon's signals as something to wait for: SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2. One per
// process, made before any thread: they inherit that these are blocked.
class Signals {
 public:
  static Result<Signals> Block();

  // The next one, or nothing when none comes for so long.
  std::optional<int> Wait(std::chrono::milliseconds timeout);

 private:
  explicit Signals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace plectl::monitor
