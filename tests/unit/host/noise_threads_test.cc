// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using ::testing::HasSubstr;

// What the kernel says of a vCPU's thread.
struct Thread {
  std::string allowed = "1";
  int last_cpu = 1;
  int nice = 0;
  int rt_priority = 0;
  int policy = 0;
  int tracer = 0;
  int migrations = 3;
};

class NoiseThreads : public ::testing::Test {
 protected:
  void Write(const Thread& thread) {
    const auto folder = host_.path() / "proc/self/task/71";
    ASSERT_TRUE(MakeDirectories(folder));
    std::string stat = "71 (a) b (c) S";
    for (int field = 4; field <= 52; ++field) {
      const int value = field == 19   ? thread.nice
                        : field == 39 ? thread.last_cpu
                        : field == 40 ? thread.rt_priority
                        : field == 41 ? thread.policy
                                      : 7;
      stat += " " + std::to_string(value);
    }
    ASSERT_TRUE(WriteFileAtomically(folder / "stat", stat + "\n"));
    ASSERT_TRUE(WriteFileAtomically(
        folder / "status", "Name:\ta\nTracerPid:\t" + std::to_string(thread.tracer) +
                               "\nCpus_allowed:\t2\nCpus_allowed_list:\t" + thread.allowed + "\n"));
    ASSERT_TRUE(WriteFileAtomically(
        folder / "sched", "a (71, #threads: 3)\n------\nse.nr_migrations          :       " +
                              std::to_string(thread.migrations) + "\nnr_switches : 9\n"));
  }

  std::vector<std::optional<ThreadPlace>> Read(NoiseCounts& counts) {
    return ReadThreadPlaces(HostRoot(host_.path()), std::vector<pid_t>{71}, counts);
  }

  // The counts of a thread that was at first like Thread() and then like `then`.
  NoiseCounts After(const Thread& then) {
    NoiseCounts counts;
    Write(Thread());
    const auto start = Read(counts);
    Write(then);
    CompareThreadPlaces(start, Read(counts), counts);
    return counts;
  }

 private:
  TempDir host_;
};

TEST_F(NoiseThreads, OneThatIsLeftAloneIsQuiet) {
  const NoiseCounts counts = After(Thread());
  for (const Q quantity : {Q::kMoved, Q::kRescheduled, Q::kTraced}) {
    EXPECT_EQ(counts[quantity], Count(0));
  }
  EXPECT_EQ(counts[Q::kMigrations], Count(3));
}

TEST_F(NoiseThreads, AffinityAndLastCpuAreLookedAtAgain) {
  EXPECT_EQ(After({.allowed = "0-3"})[Q::kMoved], Count(1)) << "taskset, or its CPU went offline";
  EXPECT_EQ(After({.last_cpu = 0})[Q::kMoved], Count(1));
  EXPECT_EQ(After({.allowed = "0", .last_cpu = 0})[Q::kMoved], Count(1));
  EXPECT_EQ(After({.migrations = 5})[Q::kMigrations], Count(5)) << "there and back";
}

TEST_F(NoiseThreads, OtherSchedulingIsSeen) {
  EXPECT_EQ(After({.nice = 19})[Q::kRescheduled], Count(1));
  EXPECT_EQ(After({.nice = -5})[Q::kRescheduled], Count(1));
  EXPECT_EQ(After({.policy = 3})[Q::kRescheduled], Count(1)) << "SCHED_BATCH";
  EXPECT_EQ(After({.rt_priority = 9, .policy = 1})[Q::kRescheduled], Count(1));
}

TEST_F(NoiseThreads, ATracerIsSeen) { EXPECT_EQ(After({.tracer = 4711})[Q::kTraced], Count(1)); }

TEST_F(NoiseThreads, WhatCannotBeReadIsMissing) {
  NoiseCounts counts;
  const auto none = Read(counts);
  CompareThreadPlaces(none, none, counts);
  EXPECT_THAT(counts[Q::kMoved].missing_because(), HasSubstr("vCPU thread"));
  EXPECT_THAT(counts[Q::kMigrations].missing_because(), HasSubstr("/sched"));
}

TEST_F(NoiseThreads, TheKernelOfThisMachineSaysAllOfIt) {
  NoiseCounts counts;
  const std::vector<pid_t> self = {::gettid()};
  const auto places = ReadThreadPlaces(HostRoot(), self, counts);
  ASSERT_TRUE(places.front());
  EXPECT_NE(places.front()->allowed_cpus, "");
  EXPECT_EQ(places.front()->scheduling.find_first_not_of("-0123456789 "), std::string::npos);
}

}  // namespace
}  // namespace plectl::host
