// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/stop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace plectl {
namespace {

bool Readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1;
}

// In a child process, since the request to stop lasts for the life of the process.
int ExitCodeAfterSignal(int number) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<StopSignal> stop = StopSignal::Install();
    if (!stop || Readable(stop->fd()) || !CheckNotStopped()) ::_exit(1);
    ::raise(number);
    if (!Readable(stop->fd()) || StopSignal::signal_number() != number) ::_exit(2);
    const Status stopped = CheckNotStopped();
    ::_exit(!stopped && stopped.error().kind == ErrorKind::kInconclusive ? 0 : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(StopSignal, RequestsAStopOnEachSignal) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) EXPECT_EQ(ExitCodeAfterSignal(number), 0);
}

}  // namespace
}  // namespace plectl
