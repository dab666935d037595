// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::guests {

// Where the vCPU threads and their coordinator meet: the start barrier, the end, and the way out of
// both. Each thread calls AwaitRelease() once it is ready, and Park() exactly once when it has
// nothing left to do, whatever happened; it ends when Park() returns false. When it returns true,
// the thread has one thing more to do, and calls ParkForGood() then.
class Gate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static Result<std::unique_ptr<Gate>> Create(uint32_t threads);

  // For the vCPU threads.
  // At the start barrier. False: do not go on, Stop() was called.
  bool AwaitRelease();
  // `status` is why the thread stopped; the first failure of all threads is kept. Returns on
  // Reopen() with true, on End() with false.
  bool Park(Status status);
  // The same, but returns on End() only.
  void ParkForGood(Status status);
  [[nodiscard]] bool stopping() const;

  // For the coordinator.
  enum class Milestone { kAllReady, kAllParked };
  enum class WaitEnd { kReached, kFailed, kDeadline, kStopRequested };
  // Sleeps until the milestone, a failed thread, the deadline, or a requested stop (base/stop.h).
  WaitEnd Wait(Milestone milestone, TimePoint deadline);
  // Sleeps until all threads have parked, however long that takes. After Stop() and the kicks.
  void WaitAllParked();
  void Release();
  // Once all have parked: lets them out to park again, for good.
  void Reopen();
  void Stop();
  void End();
  // Of the thread that failed first.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  enum class Stage { kBooting, kReleased, kStopping, kEnded };
  Gate(uint32_t threads, Fd event) : threads_(threads), event_(std::move(event)) {}
  void SetStage(Stage stage);
  void CountParked(Status status);
  void Wake() const;
  [[nodiscard]] bool Reached(Milestone milestone) const;
  [[nodiscard]] std::optional<WaitEnd> Look(Milestone milestone) const;
  void Sleep(std::chrono::milliseconds limit) const;

  const uint32_t threads_;
  const Fd event_;  // wakes the coordinator
  mutable std::mutex mutex_;
  std::condition_variable stage_changed_;  // wakes the threads
  Stage stage_ = Stage::kBooting;
  uint32_t ready_ = 0;
  uint32_t parked_ = 0;
  bool reopened_ = false;
  std::optional<Error> failure_;
};

}  // namespace plectl::guests
