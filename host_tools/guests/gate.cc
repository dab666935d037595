// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/gate.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host_tools/base/stop.h"

namespace plectl::guests {
namespace {

// A stop signal interrupts poll(); this is for one that comes just before poll() starts. Long,
// because each look takes time from a CPU that is being measured.
constexpr std::chrono::milliseconds kLongestSleep{250};

std::chrono::milliseconds Until(Gate::TimePoint deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return std::chrono::ceil<std::chrono::milliseconds>(left);
}

}  // namespace

Result<std::unique_ptr<Gate>> Gate::Create(uint32_t threads) {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return SystemFailure("eventfd", errno);
  return std::unique_ptr<Gate>(new Gate(threads, std::move(event)));
}

bool Gate::AwaitRelease() {
  std::unique_lock lock(mutex_);
  if (++ready_ == threads_) Wake();
  stage_changed_.wait(lock, [this] { return stage_ != Stage::kBooting; });
  return stage_ == Stage::kReleased;
}

void Gate::CountParked(Status status) {
  ++parked_;
  if (!status && !failure_) failure_ = std::move(status).error();
  if (failure_ || parked_ == threads_) Wake();
}

bool Gate::Park(Status status) {
  std::unique_lock lock(mutex_);
  CountParked(std::move(status));
  stage_changed_.wait(lock, [this] { return reopened_ || stage_ == Stage::kEnded; });
  return reopened_;
}

void Gate::ParkForGood(Status status) {
  std::unique_lock lock(mutex_);
  CountParked(std::move(status));
  stage_changed_.wait(lock, [this] { return stage_ == Stage::kEnded; });
}

bool Gate::stopping() const {
  const std::lock_guard lock(mutex_);
  return stage_ >= Stage::kStopping;
}

void Gate::Wake() const {
  const uint64_t one = 1;
  // Can only fail when the counter is full, and then the reader is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

bool Gate::Reached(Milestone milestone) const {
  return (milestone == Milestone::kAllReady ? ready_ : parked_) == threads_;
}

std::optional<Gate::WaitEnd> Gate::Look(Milestone milestone) const {
  const std::lock_guard lock(mutex_);
  if (failure_) return WaitEnd::kFailed;
  if (Reached(milestone)) return WaitEnd::kReached;
  if (StopSignal::requested()) return WaitEnd::kStopRequested;
  return std::nullopt;
}

void Gate::Sleep(std::chrono::milliseconds limit) const {
  pollfd event{event_.get(), POLLIN, 0};
  if (::poll(&event, 1, static_cast<int>(limit.count())) <= 0) return;
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(event_.get(), &count, sizeof count);
}

Gate::WaitEnd Gate::Wait(Milestone milestone, TimePoint deadline) {
  for (;;) {
    if (const auto end = Look(milestone)) return *end;
    const std::chrono::milliseconds left = Until(deadline);
    if (left.count() <= 0) return WaitEnd::kDeadline;
    Sleep(std::min(left, kLongestSleep));
  }
}

void Gate::WaitAllParked() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (Reached(Milestone::kAllParked)) return;
    }
    Sleep(kLongestSleep);
  }
}

void Gate::SetStage(Stage stage) {
  {
    const std::lock_guard lock(mutex_);
    stage_ = stage;
  }
  stage_changed_.notify_all();
}

void Gate::Reopen() {
  {
    const std::lock_guard lock(mutex_);
    parked_ = 0;
    reopened_ = true;
  }
  stage_changed_.notify_all();
}

void Gate::Release() { SetStage(Stage::kReleased); }
void Gate::Stop() { SetStage(Stage::kStopping); }
void Gate::End() { SetStage(Stage::kEnded); }

std::optional<Error> Gate::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace plectl::guests
