// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/stop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace plectl {
namespace {

constexpr std::array kStopSignals = {SIGINT, SIGTERM, SIGHUP};

// The only mutable statics of plectl: a signal handler has no other way to its data.
std::atomic<int> g_signal_number = 0;
std::atomic<int> g_event_fd = -1;
static_assert(std::atomic<int>::is_always_lock_free);

void HandleStopSignal(int number) {
  const int saved_errno = errno;
  g_signal_number = number;
  const uint64_t one = 1;
  // Nothing can be done about a failed write here, and a full eventfd is readable anyway.
  [[maybe_unused]] const ssize_t written = ::write(g_event_fd, &one, sizeof one);
  errno = saved_errno;
}

}  // namespace

Result<StopSignal> StopSignal::Install() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return SystemFailure("eventfd", errno);
  g_event_fd = event.get();
  struct sigaction action {};
  action.sa_handler = HandleStopSignal;
  for (const int number : kStopSignals) ::sigaction(number, &action, nullptr);
  return StopSignal(std::move(event));
}

StopSignal::~StopSignal() {
  if (!event_.valid()) return;
  for (const int number : kStopSignals) ::signal(number, SIG_DFL);
  g_event_fd = -1;
}

int StopSignal::signal_number() { return g_signal_number; }

Status CheckNotStopped() {
  if (!StopSignal::requested()) return OkStatus();
  return Inconclusive(fmt::format("stopped by {}", ::strsignal(StopSignal::signal_number())),
                      "run the same command again to go on");
}

}  // namespace plectl
