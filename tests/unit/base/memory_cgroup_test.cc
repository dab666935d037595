// SPDX-License-Identifier: Apache-2.0
// Run by tests/lab/child_test.py too, where cgroups can be made: PLECTL_EXPECT_CGROUP is set there.
#include "host_tools/base/memory_cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "host_tools/base/cgroup_place.h"
#include "host_tools/base/child.h"
#include "tests/unit/base/processes.h"

namespace plectl {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr milliseconds kLong(60'000);
constexpr uint64_t kMiB = uint64_t{1} << 20;

bool CgroupsExpected() { return std::getenv("PLECTL_EXPECT_CGROUP") != nullptr; }

ChildOptions Limited(std::vector<std::string> argv, uint64_t limit_bytes) {
  ChildOptions options;
  options.argv = std::move(argv);
  options.memory_limit_bytes = limit_bytes;
  return options;
}

// Uses `size` bytes of memory, and returns 9 where it does not get them.
int UseMemory(size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 9;
  for (size_t i = 0; i < size; i += 4096) static_cast<volatile char*>(memory)[i] = 1;
  return 0;
}

// The names of plectl's cgroups beside or below ours.
std::vector<std::string> OurCgroups() {
  const std::string parent = MemoryCgroupParent(HostRoot()).value();
  std::vector<std::string> names = HostRoot().List(parent).value();
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("plectl-"); });
  return names;
}

ChildExit EndOf(Child& child) {
  const auto exit = child.Wait(kLong);
  if (exit && *exit) return **exit;
  ADD_FAILURE() << "the child did not end";
  return {};
}

TEST(ShowsLimitKill, NeedsTheLimitAndTheKill) {
  EXPECT_TRUE(ShowsLimitKill("low 0\nhigh 0\nmax 52\noom 1\noom_kill 2\noom_group_kill 1\n"));
  EXPECT_FALSE(ShowsLimitKill("low 0\nhigh 0\nmax 52\noom 0\noom_kill 1\n")) << "others' want";
  EXPECT_FALSE(ShowsLimitKill("max 5\noom 1\noom_kill 0\n"));
  EXPECT_FALSE(ShowsLimitKill(""));
  EXPECT_FALSE(ShowsLimitKill("oom x\noom_kill -1\n"));
}

// Whatever limits it here, it does not get what it wants, and who reads of it learns by what.
TEST(MemoryLimit, StopsAnOverEagerChildAndSaysHow) {
  auto child = Child::Fork(Limited({"hungry"}, 24 * kMiB), [] { return UseMemory(64 * kMiB); });
  ASSERT_TRUE(child) << child.error().Text();
  const ChildExit exit = EndOf(*child);
  EXPECT_FALSE(exit.ok());
  if (exit.usage.limiter == MemoryLimiter::kCgroup) {
    EXPECT_EQ(exit.Text(), "SIGKILL (Killed)");
    EXPECT_TRUE(exit.usage.exceeded_memory_limit);
    EXPECT_LE(exit.usage.peak_memory_bytes, 24 * kMiB);
    EXPECT_GT(exit.usage.peak_memory_bytes, 12 * kMiB);
  } else {
    EXPECT_EQ(exit.usage.limiter, MemoryLimiter::kAddressSpace);
    EXPECT_NE(exit.usage.no_cgroup_because, "");
    EXPECT_FALSE(CgroupsExpected()) << exit.usage.no_cgroup_because;
  }
}

TEST(MemoryLimit, DoesNotDisturbAFrugalChild) {
  const auto output = RunChild(Limited({"sh", "-c", "echo fine"}, 512 * kMiB), kLong);
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_EQ(output->out, "fine\n");
  EXPECT_FALSE(output->exit.usage.exceeded_memory_limit);
  EXPECT_NE(output->exit.usage.limiter, MemoryLimiter::kNone);
}

TEST(MemoryLimit, NoneWithoutBeingAskedFor) {
  ChildOptions options;
  options.argv = {"true"};
  EXPECT_EQ(RunChild(options, kLong).value().exit.usage.limiter, MemoryLimiter::kNone);
}

// A host on which everything is there but the right to make a cgroup: here, the kernel's files.
TEST(MemoryLimit, FallsBackToTheAddressSpaceAndNamesTheReason) {
  ChildOptions options = Limited({"sh", "-c", "ulimit -v; exit 3"}, 512 * kMiB);
  options.cgroup_host = HostRoot("/nonexistent");
  const auto output = RunChild(options, kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "524288\n");
  EXPECT_EQ(output->exit.usage.limiter, MemoryLimiter::kAddressSpace);
  EXPECT_THAT(RunChildOrFail(options, kLong).error().message,
              AllOf(HasSubstr("512 MiB of memory, RLIMIT_AS, since "), HasSubstr("mountinfo")));
}

class MemoryCgroups : public testing::Test {
 protected:
  void SetUp() override {
    const auto cgroup = MemoryCgroup::Create(HostRoot(), 64 * kMiB);
    if (cgroup) return;
    ASSERT_FALSE(CgroupsExpected()) << cgroup.error().Text();
    GTEST_SKIP() << cgroup.error().Text();
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_EQ(OurCgroups().size(), 0U);
  }
};

TEST_F(MemoryCgroups, ANormalEndLeavesNone) {
  ASSERT_TRUE(RunChild(Limited({"true"}, 64 * kMiB), kLong));
  EXPECT_EQ(OurCgroups().size(), 0U);
}

TEST_F(MemoryCgroups, TheErrorNamesTheLimitAndThePeak) {
  const auto output =
      RunChild(Limited({"sh", "-c", "head -c 60000000 /dev/zero | tail -n 1"}, 24 * kMiB), kLong);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(output.error().message,
              AllOf(HasSubstr("sh was killed: it used more than its limit of 24 MiB (cgroup v2, "
                              "peak "),
                    HasSubstr("it took ")));
}

// RLIMIT_AS counts each by itself.
TEST_F(MemoryCgroups, ManySmallOnesCountTogether) {
  auto child = Child::Fork(Limited({"many"}, 24 * kMiB), [] {
    for (int i = 0; i < 4; ++i) {
      if (::fork() != 0) continue;
      UseMemory(12 * kMiB);
      ::pause();
    }
    return ::pause();
  });
  ASSERT_TRUE(child);
  EXPECT_TRUE(EndOf(*child).usage.exceeded_memory_limit);
}

// A process that left the group by setsid() and a second fork.
TEST_F(MemoryCgroups, WhatEscapesTheGroupDiesWithTheChild) {
  auto child = Child::Fork(Limited({"daemon"}, 64 * kMiB), [] {
    if (::fork() == 0) {
      ::setsid();
      if (::fork() == 0) {
        std::printf("%d\n", ::getpid());
        std::fflush(stdout);
        while (true) ::pause();
      }
      ::_exit(0);
    }
    return 0;
  });
  ASSERT_TRUE(child);
  std::string pid(16, '\0');
  ASSERT_GT(::read(child->stdout_fd(), pid.data(), pid.size()), 0);
  EXPECT_TRUE(EndOf(*child).ok());
  EXPECT_FALSE(IsAlive(std::atoi(pid.c_str())));
}

// What a killed plectl leaves is removed, with the processes in it, when a cgroup is made next.
TEST_F(MemoryCgroups, ThoseOfADeadPlectlAreRemoved) {
  const pid_t owner = ::fork();
  if (owner == 0) {
    auto child = Child::Fork(Limited({"orphan"}, 64 * kMiB), []() -> int {
      if (::fork() == 0) ::setsid();
      while (true) ::pause();
    });
    if (child) ::kill(::getpid(), SIGKILL);
    ::_exit(3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  ASSERT_EQ(OurCgroups().size(), 1U);
  ASSERT_TRUE(RunChild(Limited({"true"}, 64 * kMiB), kLong));
  EXPECT_EQ(OurCgroups().size(), 0U);
}

TEST_F(MemoryCgroups, ThreadsGetOneEach) {
  std::vector<std::thread> threads;
  std::vector<MemoryLimiter> limiters(4);
  for (MemoryLimiter& limiter : limiters) {
    threads.emplace_back([&limiter] {
      limiter = RunChild(Limited({"true"}, 64 * kMiB), kLong).value().exit.usage.limiter;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(limiters, testing::Each(MemoryLimiter::kCgroup));
}

}  // namespace
}  // namespace plectl
