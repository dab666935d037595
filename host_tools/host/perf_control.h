// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// The two FIFOs of `perf record -D -1 --control=fifo:CTL,ACK`.
struct PerfControlPaths {
  std::string control;
  std::string acknowledge;
};

// "CTL,ACK" as perf takes it. BadInput when it is not two paths.
Result<PerfControlPaths> ParsePerfControl(std::string_view text);

// Switches the events of a perf that runs beside us on and off, and waits until it says that it
// did: what it records is then exactly what happens in between. Environment error when it does not
// answer in time, which ends a run: what perf would record is not what was asked for.
class PerfControl {
 public:
  // Opens both FIFOs; waits up to `limit` for perf to have opened them too. The same limit holds
  // for each answer.
  static Result<PerfControl> Open(const PerfControlPaths& paths, std::chrono::milliseconds limit);

  Status Enable() { return Command("enable"); }
  Status Disable() { return Command("disable"); }

 private:
  PerfControl(PerfControlPaths paths, Fd control, Fd acknowledge, std::chrono::milliseconds limit)
      : paths_(std::move(paths)),
        control_(std::move(control)),
        acknowledge_(std::move(acknowledge)),
        limit_(limit) {}
  Status Command(std::string_view command);
  // Answers that nobody waited for, as after a time-out.
  void DropOldAnswers() const;
  Status AwaitAnswer(std::string_view command) const;

  PerfControlPaths paths_;
  Fd control_;
  Fd acknowledge_;
  std::chrono::milliseconds limit_;
};

}  // namespace plectl::host
