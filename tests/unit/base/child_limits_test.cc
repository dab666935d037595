// SPDX-License-Identifier: Apache-2.0
// What a program may try, and what becomes of it: the promises of child.h against hostile children.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "host_tools/base/child.h"
#include "host_tools/base/clock.h"
#include "host_tools/base/text.h"
#include "tests/unit/base/processes.h"

namespace plectl {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong(20'000);
constexpr int64_t kLongNs = 10'000'000'000;

ChildOptions Shell(std::string script) {
  ChildOptions options;
  options.argv = {"sh", "-c", std::move(script)};
  return options;
}

pid_t PidIn(std::string_view text) {
  return static_cast<pid_t>(ParseUint(TrimRight(text)).value());
}

TEST(HostileChild, CannotIgnoreItsDeadline) {
  const Stopwatch watch;
  const auto output =
      RunChild(Shell("trap '' TERM INT HUP; while :; do sleep 1; done"), milliseconds(100));
  EXPECT_THAT(output.error().message, HasSubstr("did not end within 100 ms"));
  EXPECT_LT(watch.ElapsedNs(), kLongNs);
}

TEST(HostileChild, ThatStopsItselfMeetsItsDeadline) {
  const auto output = RunChild(Shell("kill -STOP $$"), milliseconds(100));
  EXPECT_THAT(output.error().message, HasSubstr("did not end within 100 ms"));
}

TEST(HostileChild, ThatClosesItsOutputAndLivesOnMeetsItsDeadline) {
  const auto output = RunChild(Shell("exec >&- 2>&-; sleep 100"), milliseconds(100));
  EXPECT_THAT(output.error().message, HasSubstr("did not end within 100 ms"));
}

TEST(HostileChild, AFloodOfOneGibibyteIsCutShort) {
  const auto output = RunChild(Shell("head -c 1073741824 /dev/zero >&2"), kLong);
  EXPECT_THAT(output.error().message, HasSubstr("it wrote more than 64 MiB"));
}

TEST(HostileChild, WhatItLeavesInItsGroupDiesWhenItEnds) {
  const auto output = RunChild(Shell("sleep 100 >/dev/null 2>&1 & echo $!"), kLong);
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_TRUE(output->exit.ok());
  EXPECT_TRUE(DiesSoon(PidIn(output->out)));
}

TEST(HostileChild, WhatItLeavesWithOurPipesDoesNotHoldUsUp) {
  const Stopwatch watch;
  const auto output = RunChild(Shell("sleep 100 & echo $!"), kLong);
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_TRUE(output->exit.ok());
  EXPECT_LT(watch.ElapsedNs(), kLongNs);
  EXPECT_TRUE(DiesSoon(PidIn(output->out)));
}

// It has left the group: we cannot kill it without a cgroup, but go on without it.
TEST(HostileChild, ADaemonWithOurPipesDoesNotHoldUsUp) {
  const Stopwatch watch;
  const auto output = RunChild(Shell("setsid sh -c 'echo $$; exec sleep 60' & sleep 1"), kLong);
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_LT(watch.ElapsedNs(), kLongNs);
  const pid_t daemon = PidIn(output->out);
  EXPECT_TRUE(IsAlive(daemon));
  ::kill(daemon, SIGKILL);
}

TEST(HostileChild, HasItsOwnProcessGroup) {
  const auto output = RunChild(Shell("kill -TERM 0; sleep 100"), kLong);  // its group, not ours
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_EQ(output->exit.Text(), "SIGTERM (Terminated)");
}

TEST(HostileChild, IsNamedByTheSignalEvenWhenThatHasNoName) {
  const auto output = RunChild(Shell("kill -40 $$"), kLong);
  ASSERT_TRUE(output);
  EXPECT_THAT(output->exit.Text(), HasSubstr("signal 40 (Real-time signal "));
}

// SIGKILL, so that nothing of ours can run: the kernel ends the child, whatever signals it ignores.
TEST(HostileChild, DiesWithAnOwnerThatIsKilled) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto child = Child::Start(Shell("trap '' TERM INT HUP; while :; do sleep 1; done"));
    const pid_t pid = child ? child->pid() : -1;
    static_cast<void>(!::write(pipe[1], &pid, sizeof pid));
    ::kill(::getpid(), SIGKILL);
  }
  pid_t child = -1;
  ASSERT_EQ(::read(pipe[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(DiesSoon(child));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(HostileChild, CountsTheTimeOfItsOwnChildren) {
  const auto output =
      RunChild(Shell("sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'"), kLong);
  ASSERT_TRUE(output);
  EXPECT_GT(output->exit.usage.user_ns, 1'000'000);
}

}  // namespace
}  // namespace plectl
