// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/thread_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace plectl::guests {
namespace {

TEST(PlaceThread, PinsTheCallingThread) {
  std::thread([] {
    const int cpu = ::sched_getcpu();
    ASSERT_TRUE(PlaceThread(cpu, VcpuScheduling::kOther));
    cpu_set_t set;
    ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    EXPECT_EQ(CPU_COUNT(&set), 1);
    EXPECT_TRUE(CPU_ISSET(static_cast<size_t>(cpu), &set));
  }).join();
}

TEST(PlaceThread, NamesTheCpuThatIsNotThere) {
  std::thread([] {
    const Status placed = PlaceThread(CPU_SETSIZE - 1, VcpuScheduling::kOther);
    ASSERT_FALSE(placed);
    EXPECT_EQ(placed.error().kind, ErrorKind::kEnvironment);
    EXPECT_THAT(placed.error().message, ::testing::HasSubstr("host CPU 1023"));
  }).join();
}

TEST(KickSignalHandler, MakesTheKickHarmlessAndGoesAway) {
  struct sigaction before {};
  ::sigaction(kKickSignal, nullptr, &before);
  {
    const KickSignalHandler handler;
    EXPECT_EQ(::raise(kKickSignal), 0);  // the default action would end this process
  }
  struct sigaction after {};
  ::sigaction(kKickSignal, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(BlockedSignals, LetsOnlyTheKickThrough) {
  sigset_t mask;
  {
    const BlockedSignals blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_TRUE(::sigismember(&mask, SIGINT));
    EXPECT_TRUE(::sigismember(&mask, SIGTERM));
    EXPECT_FALSE(::sigismember(&mask, kKickSignal));
  }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_FALSE(::sigismember(&mask, SIGINT));
}

TEST(CoordinatorPriority, LeavesOtherSchedulingAlone) {
  const auto priority = CoordinatorPriority::Raise(VcpuScheduling::kOther);
  ASSERT_TRUE(priority);
  EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
}

TEST(ThreadUsage, IsADifference) {
  const ThreadUsage usage = ThreadUsage{5, 7, 100, 200} - ThreadUsage{1, 2, 30, 50};
  EXPECT_EQ(usage.involuntary_switches, 4U);
  EXPECT_EQ(usage.voluntary_switches, 5U);
  EXPECT_EQ(usage.user_ns, 70);
  EXPECT_EQ(usage.system_ns, 150);
}

}  // namespace
}  // namespace plectl::guests
