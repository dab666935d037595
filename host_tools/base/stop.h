// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl {

// Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop: long work polls requested(), or
// waits on fd(), and leaves through its normal clean-up, which restores the host. One per process,
// made before any thread; the old handlers come back when it is destroyed.
class StopSignal {
 public:
  static Result<StopSignal> Install();
  StopSignal(StopSignal&& other) noexcept = default;
  StopSignal& operator=(StopSignal&&) = delete;
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();

  // The signal that asked, or 0.
  [[nodiscard]] static int signal_number();
  [[nodiscard]] static bool requested() { return signal_number() != 0; }
  // Readable from the moment that a stop is requested; never read it.
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  explicit StopSignal(Fd event) : event_(std::move(event)) {}
  Fd event_;
};

// An Inconclusive error when a stop was requested; its hint says how to go on.
Status CheckNotStopped();

}  // namespace plectl
