// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/perf_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::host {
namespace {

TEST(PerfReading, LosesNothingWhenItRanAllTheTime) {
  EXPECT_EQ(LostBecause({.value = 5, .enabled_ns = 100, .running_ns = 100}), "");
  EXPECT_EQ(LostBecause({}), "");
}

TEST(PerfReading, SaysWhatPartOfTheTimeIsMissing) {
  EXPECT_THAT(LostBecause({.value = 5, .enabled_ns = 100, .running_ns = 60}),
              ::testing::HasSubstr("60 ns of the 100 ns"));
}

}  // namespace
}  // namespace plectl::host
