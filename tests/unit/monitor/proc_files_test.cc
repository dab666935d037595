// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/proc_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/monitor/fake_vms.h"

namespace plectl::monitor {
namespace {

constexpr std::string_view kRunning =
    "7 (a) b) (c) S 1 1 1 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 18 0 4711 0 0 0\n";

TEST(ThreadStat, IsReadBehindAnyName) {
  const auto stat = ParseThreadStat(kRunning);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->start_ticks, 4711U);
  EXPECT_EQ(stat->process_threads, 18U);
  EXPECT_FALSE(stat->has_ended);
}

TEST(ThreadStat, SeesThatAThreadHasEnded) {
  EXPECT_TRUE(ParseThreadStat("7 (a) Z 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 9 0")->has_ended);
}

TEST(ThreadStat, IsNothingWhenItIsTorn) {
  EXPECT_FALSE(ParseThreadStat(""));
  EXPECT_FALSE(ParseThreadStat("7 (a"));
  EXPECT_FALSE(ParseThreadStat(kRunning.substr(0, 40)));
}

TEST(ProcFiles, KnowsAProcessThatLives) {
  FakeVms vms;
  vms.Start(100, "a", 1, 4711);
  ProcFiles files(vms.root());
  EXPECT_EQ(files.ProcessStartTicks(100), 4711U);
  EXPECT_EQ(files.ProcessStartTicks(101), std::nullopt);
}

TEST(ProcFiles, TakesAProcessThatNobodyWaitedForAsEnded) {
  FakeVms vms;
  const auto stat = [&](std::string_view threads) {
    vms.Write("/proc/100/task/100/stat",
              "100 (q) Z 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 " + std::string(threads) + " 0 9 0");
    return ProcFiles(vms.root()).ProcessStartTicks(100);
  };
  EXPECT_EQ(stat("1"), std::nullopt);
  EXPECT_EQ(stat("2"), 9U) << "only its first thread has ended";
}

TEST(ProcFiles, TellsThreadsOfOneIdApart) {
  FakeVms vms;
  vms.Start(100, "a", 1, 4711);
  ProcFiles files(vms.root());
  EXPECT_TRUE(files.MayThreadLive(100, 101, 4712));
  EXPECT_FALSE(files.MayThreadLive(100, 101, 4713)) << "another thread";
  EXPECT_FALSE(files.MayThreadLive(100, 102, 4712)) << "not there";
}

TEST(ProcFiles, DoesNotTakeUnreadableForGone) {
  FakeVms vms;
  vms.Write("/proc/100/task/101/stat/not_a_file", "");
  EXPECT_TRUE(ProcFiles(vms.root()).MayThreadLive(100, 101, 1));
}

TEST(ProcFiles, ReadsThisMachine) {
  ProcFiles files{HostRoot()};
  const auto start_ticks = files.ProcessStartTicks(::getpid());
  ASSERT_TRUE(start_ticks);
  EXPECT_TRUE(files.MayThreadLive(::getpid(), ::getpid(), *start_ticks));
}

}  // namespace
}  // namespace plectl::monitor
