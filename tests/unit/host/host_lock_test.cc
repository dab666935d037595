// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/host_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

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

TEST(HostLock, TrustsNoFolderThatOthersCanWriteTo) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(HostLock::Acquire(host.root()));
  const auto folder = host.root().Path(kStateFolder);
  ASSERT_EQ(::chmod(folder.c_str(), 0770), 0);
  const auto lock = HostLock::Acquire(host.root());
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("has mode 0770"));
  EXPECT_THAT(lock.error().hint, HasSubstr("chmod 0700"));
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  EXPECT_TRUE(HostLock::Acquire(host.root()));
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(folder.c_str(), 12345, 0), 0);
  const auto theirs = HostLock::Acquire(host.root());
  ASSERT_FALSE(theirs);
  EXPECT_THAT(theirs.error().message, HasSubstr("belongs to UID 12345"));
}

TEST(HostLock, FollowsNoLink) {
  const FakeHost host("no_kvm");
  host.Write("/var/lib/precious", "precious");
  ASSERT_TRUE(HostLock::Acquire(host.root()));
  host.Remove("/var/lib/plectl/lock");
  std::filesystem::create_symlink("../precious", host.root().Path("/var/lib/plectl/lock"));
  EXPECT_FALSE(HostLock::Acquire(host.root()));
  EXPECT_EQ(host.Read("/var/lib/precious"), "precious");
}

TEST(HostLock, RemovesWhatAKilledPlectlWasWriting) {
  const FakeHost host("no_kvm");
  host.Write("/var/lib/plectl/.plectl-0123456789abcdef.tmp", "{");
  host.Write("/etc/modprobe.d/.plectl-0123456789abcdef.tmp", "opt");
  host.Write("/var/lib/plectl/other.tmp", "kept");
  ASSERT_EQ(::chmod(host.root().Path(kStateFolder).c_str(), 0700), 0);
  ASSERT_TRUE(HostLock::Acquire(host.root()));
  EXPECT_EQ(host.root().List(kStateFolder).value(),
            (std::vector<std::string>{"lock", "other.tmp"}));
}

// A host as seen from one of its processes: which PID namespace it is in, and what the first
// process has at /var/lib/plectl.
void LookFrom(const FakeHost& host, std::string_view pid_namespace, std::string_view outside) {
  host.Write("/proc/self/ns/x", "");
  host.Write("/proc/1/x", "");
  std::filesystem::create_symlink(pid_namespace, host.root().Path("/proc/self/ns/pid"));
  std::filesystem::create_symlink(host.root().Path(outside), host.root().Path("/proc/1/root"));
}
constexpr std::string_view kHostsPids = "pid:[4026531836]";

TEST(HostLock, IsRefusedInAContainer) {
  const FakeHost host("no_kvm");
  LookFrom(host, "pid:[4026532567]", "/");
  const auto lock = HostLock::Acquire(host.root());
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(lock.error().message, HasSubstr("in a container"));
  EXPECT_FALSE(host.root().Exists(kStateFolder));
}

TEST(HostLock, IsRefusedWhereTheHostHasAnotherStateFolder) {
  const FakeHost host("no_kvm");
  host.Write("/outside/var/lib/plectl/lock", "");
  host.Write("/var/lib/plectl/lock", "");
  LookFrom(host, kHostsPids, "/outside");
  const auto lock = HostLock::Acquire(host.root());
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("its /var/lib/plectl is not the host's"));
}

TEST(HostLock, IsTakenInAMountNamespaceThatHasTheHostsFolder) {
  const FakeHost host("no_kvm");
  LookFrom(host, kHostsPids, "/");
  EXPECT_TRUE(HostLock::Acquire(host.root()));
}

TEST(HostLock, FailsWhereNothingCanBeCreated) {
  const FakeHost host("no_kvm");
  host.Write("/var", "a file in the way");
  EXPECT_FALSE(HostLock::Acquire(host.root()));
}

}  // namespace
}  // namespace plectl::host
