// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/vcpu_account.h"

#include <gtest/gtest.h>

#include <vector>

namespace plectl::experiment {
namespace {

constexpr int64_t kMs = 1'000'000;

Count Ms(uint64_t ms) { return ms * uint64_t{kMs}; }

// CPU 0 ran tasks for 100 ms, CPU 1 for 40 ms.
Count RunNsOn(int cpu) { return cpu == 0 ? Ms(100) : Ms(40); }

TEST(VcpuAccount, ACpuIsLostWhileItRunsNothingThoughAVcpuWantsTo) {
  using Times = std::vector<VcpuTimes>;
  EXPECT_EQ(LostNs(Times{{0, 90 * kMs}, {0, 100 * kMs}}, RunNsOn), Ms(0)) << "they share it";
  EXPECT_EQ(LostNs(Times{{0, 90 * kMs}, {0, 130 * kMs}}, RunNsOn), Ms(30)) << "throttled";
  EXPECT_EQ(LostNs(Times{{0, 100 * kMs}, {1, 100 * kMs}}, RunNsOn), Ms(60)) << "CPU 1 went";
  EXPECT_EQ(LostNs(Times{{1, 100 * kMs, Ms(60)}}, RunNsOn), Ms(0)) << "its guest was idle";
  EXPECT_EQ(LostNs(Times{{1, 100 * kMs, Ms(600)}}, RunNsOn), Ms(0));
}

TEST(VcpuAccount, WhatIsNotKnownIsNotJudged) {
  const std::vector<VcpuTimes> unknown = {{0, 900 * kMs, Count::Missing("no statistic")}};
  EXPECT_EQ(LostNs(unknown, RunNsOn), Count::Missing("no statistic"));
  const std::vector<VcpuTimes> vcpus = {{0, 900 * kMs}};
  EXPECT_EQ(LostNs(vcpus, [](int) { return Count::Missing("no schedstat"); }),
            Count::Missing("no schedstat"));
}

TEST(VcpuAccount, TheLongestStopCounts) {
  const std::vector<VcpuTimes> vcpus = {{0, 0, 0, Count::Missing("no run delay")},
                                        {0, 0, 0, Ms(3)},
                                        {0, 0, 0, Ms(7)},
                                        {0, 0, 0, Ms(1)}};
  EXPECT_EQ(LongestStopNs(vcpus), Ms(7));
  EXPECT_EQ(LongestStopNs(std::span(vcpus).first(1)), Count::Missing("no run delay"));
  EXPECT_FALSE(LongestStopNs({}).has_value());
}

TEST(VcpuAccount, VcpusTakeTheCpusInTurn) {
  const std::vector<guests::VcpuResult> vcpus(3);
  const auto times = TimesOf(vcpus, std::vector<int>{4, 6});
  ASSERT_EQ(times.size(), 3U);
  EXPECT_EQ(times[0].cpu, 4);
  EXPECT_EQ(times[1].cpu, 6);
  EXPECT_EQ(times[2].cpu, 4);
}

}  // namespace
}  // namespace plectl::experiment
