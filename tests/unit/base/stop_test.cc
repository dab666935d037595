// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/stop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <set>

#include "host_tools/base/child.h"

namespace plectl {
namespace {

constexpr int kSetXid = 33;  // of glibc: SIGSETXID

bool Readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1;
}

// In a child process, since the request to stop lasts for the life of the process. 100 and more:
// it was killed.
int ExitCodeOf(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

// kill(2) and not raise(3): glibc refuses to raise the two signals that it uses.
int StopsAfter(int number) {
  const Result<StopSignal> stop = StopSignal::Install();
  if (!stop || Readable(stop->fd()) || !CheckNotStopped()) return 1;
  ::kill(::getpid(), number);
  if (!Readable(stop->fd()) || StopSignal::signal_number() != number) return 2;
  const Status stopped = CheckNotStopped();
  return !stopped && stopped.error().kind == ErrorKind::kInconclusive ? 0 : 3;
}

// Everything that ends a process, signal(7). 32 and 33 are glibc's own.
TEST(StopSignal, EverySignalThatWouldEndTheProcessRequestsAStop) {
  const std::set<int> others = {SIGKILL, SIGSTOP, SIGCHLD, SIGCONT,  SIGTSTP,
                                SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH, SIGPIPE};
  for (int number = 1; number <= 64; ++number) {
    if (others.contains(number) || number == SIGXFSZ || number == kSetXid) continue;
    EXPECT_EQ(ExitCodeOf([=] { return StopsAfter(number); }), 0) << "signal " << number;
  }
}

// Once there has been a thread, glibc has a handler of its own for it, which ends nothing either.
TEST(StopSignal, GlibcsOwnSignalEndsNothing) {
  EXPECT_LT(ExitCodeOf([] { return StopsAfter(kSetXid); }), 100);
}

TEST(StopSignal, ASignalThatEndsNothingIsNoRequest) {
  for (const int number : {SIGPIPE, SIGCHLD, SIGCONT, SIGURG, SIGWINCH}) {
    EXPECT_EQ(ExitCodeOf([=] { return StopsAfter(number); }), 2) << "signal " << number;
  }
}

int SentByTheParent(int number) {
  const Result<StopSignal> stop = StopSignal::Install();
  const pid_t target = ::getpid();
  if (::fork() == 0) ::_exit(::kill(target, number));
  ::wait(nullptr);
  return StopSignal::signal_number() == number ? 0 : 2;
}

TEST(StopSignal, AFileSizeSignalFromElsewhereIsARequest) {
  EXPECT_EQ(ExitCodeOf([] { return SentByTheParent(SIGXFSZ); }), 0);
}

TEST(StopSignal, AFaultOfOurOwnStillEndsTheProcess) {
  const int code = ExitCodeOf([] {
    const Result<StopSignal> stop = StopSignal::Install();
    volatile int* nowhere = nullptr;
    *nowhere = 1;  // NOLINT(clang-analyzer-core.NullDereference): this is what is tested
    return 0;
  });
  EXPECT_NE(code, 0);
}

TEST(StopSignal, NohupKeepsItsMeaning) {
  EXPECT_EQ(ExitCodeOf([] {
              ::signal(SIGHUP, SIG_IGN);
              return StopsAfter(SIGHUP);
            }),
            2);
}

TEST(StopSignal, TheOldHandlersComeBack) {
  for (const int number : {SIGTERM, SIGUSR1, SIGRTMIN, 32}) {
    const int code = ExitCodeOf([=] {
      { const Result<StopSignal> stop = StopSignal::Install(); }
      ::kill(::getpid(), number);
      return 0;
    });
    EXPECT_EQ(code, 100 + number);
  }
}

// `ulimit -t` sets both limits, and at the hard one the kernel kills at once.
TEST(StopSignal, ACpuTimeLimitLeavesTimeToRestore) {
  const int code = ExitCodeOf([] {
    const rlimit both{100, 100};
    ::setrlimit(RLIMIT_CPU, &both);
    const Result<StopSignal> stop = StopSignal::Install();
    rlimit now{};
    ::getrlimit(RLIMIT_CPU, &now);
    return now.rlim_cur + 2 <= now.rlim_max ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(StopSignal, AChildGetsTheDefaults) {
  const int code = ExitCodeOf([] {
    const Result<StopSignal> stop = StopSignal::Install();
    ::signal(SIGXFSZ, SIG_IGN);
    ChildOptions options;
    options.argv = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"};
    const auto output = RunChild(options, std::chrono::seconds(10));
    const bool none = output && output->out ==
                                    "SigBlk:\t0000000000000000\n"
                                    "SigIgn:\t0000000000000000\n";
    return none ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace plectl
