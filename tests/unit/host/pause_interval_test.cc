// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/pause_interval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::host {
namespace {

using ::testing::HasSubstr;

TEST(GapReach, ADefaultGapIsTooSmallWhereAPauseTakes142Cycles) {
  const auto why = WhyGapOutOfReach("ple_gap", 128, 141.3);
  ASSERT_TRUE(why);
  EXPECT_THAT(*why,
              HasSubstr("PLE cannot fire: a PAUSE takes 141 TSC cycles here, ple_gap is 128"));
  EXPECT_THAT(*why, HasSubstr("the least that can is 142"));
  EXPECT_FALSE(WhyGapOutOfReach("ple_gap", 128, 43));
  EXPECT_FALSE(WhyGapOutOfReach("ple_gap", 142, 141.3));
  EXPECT_FALSE(WhyGapOutOfReach("ple_gap", 0, 141.3));
}

// A PAUSE takes from 1 cycle (emulators) to some hundred; one that leaves to a hypervisor, more.
TEST(GapReach, APauseOfThisCpuTakesTime) {
  const double interval = PauseIntervalTscCycles();
  EXPECT_GE(interval, 0.5);
  EXPECT_LT(interval, 100'000);
}

}  // namespace
}  // namespace plectl::host
