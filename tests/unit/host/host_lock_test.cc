// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/host_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

// A process that holds the lock until it is killed; returns when it has it.
pid_t StartHolder(const HostRoot& root) {
  int ready[2];
  EXPECT_EQ(::pipe(ready), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto lock = HostLock::Acquire(root);
    [[maybe_unused]] const ssize_t written = ::write(ready[1], lock ? "y" : "n", 1);
    while (true) ::pause();
  }
  char answer = 0;
  EXPECT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  ::close(ready[0]);
  ::close(ready[1]);
  return pid;
}

TEST(HostLock, ExcludesAnotherProcessAndNamesIt) {
  const FakeHost host("no_kvm");
  const pid_t holder = StartHolder(host.root());
  const auto lock = HostLock::Acquire(host.root());
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(lock.error().message, HasSubstr("(PID " + std::to_string(holder) + ")"));
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_TRUE(HostLock::Acquire(host.root()));
}

TEST(HostLock, WaitsForAKilledHolderToBeGone) {
  const FakeHost host("no_kvm");
  const pid_t holder = StartHolder(host.root());
  ::kill(holder, SIGKILL);
  EXPECT_TRUE(HostLock::Acquire(host.root()));  // before it is reaped
  ::waitpid(holder, nullptr, 0);
}

TEST(HostLock, IsFreeAgainAfterItsScope) {
  const FakeHost host("no_kvm");
  { EXPECT_TRUE(HostLock::Acquire(host.root())); }
  EXPECT_TRUE(HostLock::Acquire(host.root()));
}

TEST(HostLock, TakesAStaleFileForNothing) {
  const FakeHost host("no_kvm");
  host.Write("/var/lib/plectl/lock", "1234567 old and longer text\n");
  EXPECT_TRUE(HostLock::Acquire(host.root()));
  EXPECT_EQ(host.Read("/var/lib/plectl/lock"), std::to_string(::getpid()) + "\n");
}

TEST(HostLock, KeepsItsFolderPrivate) {
  const FakeHost host("no_kvm");
  EXPECT_TRUE(HostLock::Acquire(host.root()));
  struct stat status {};
  ASSERT_EQ(::stat(host.root().Path(kStateFolder).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(HostLock, FailsWhereNothingCanBeCreated) {
  const FakeHost host("no_kvm");
  host.Write("/var", "a file in the way");
  EXPECT_FALSE(HostLock::Acquire(host.root()));
}

}  // namespace
}  // namespace plectl::host
