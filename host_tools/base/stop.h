// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl {

// Turns every signal that would end the process, and that a process can catch, into a request to
// stop: long work polls requested(), or waits on fd(), and leaves through its normal clean-up,
// which restores the host. So do real-time signals, a spent CPU time limit (which is put off by a
// minute where we may), and kill -SEGV; a fault of our own still ends the process. SIGPIPE is
// ignored, and SIGHUP stays ignored where it was (nohup). One per process, made before any thread;
// the old handlers come back when it is destroyed.
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
  // fd() of the one that is installed, or -1.
  [[nodiscard]] static int installed_fd();

 private:
  explicit StopSignal(Fd event) : event_(std::move(event)) {}
  Fd event_;
};

// An Inconclusive error when a stop was requested; its hint says how to go on.
Status CheckNotStopped();

// Gives every signal its default action and unblocks all: for a child process before its program
// runs. Async-signal-safe.
void ResetAllSignals();

}  // namespace plectl
