// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace plectl::monitor {

Result<Signals> Signals::Block() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&set, number);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return SystemFailure("block signals", error);
  }
  ::signal(SIGPIPE, SIG_IGN);
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return SystemFailure("signalfd", errno);
  return Signals(std::move(fd));
}

std::optional<int> Signals::Wait(std::chrono::milliseconds timeout) {
  pollfd wanted = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  signalfd_siginfo info = {};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace plectl::monitor
