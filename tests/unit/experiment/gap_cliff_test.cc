// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/gap_cliff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A CPU that sees the loop from gap `cliff` on; remembers what it was asked.
struct Cpu {
  uint64_t cliff = 0;
  std::vector<uint64_t> asked;
  GapProbe probe() {
    return [this](uint64_t gap) -> Result<bool> {
      asked.push_back(gap);
      return gap >= cliff;
    };
  }
};

TEST(PredictFirstGap, IsTheDistanceRoundedUp) {
  EXPECT_EQ(PredictFirstGap(3.0), 3U);
  EXPECT_EQ(PredictFirstGap(3.008), 3U);  // noise
  EXPECT_EQ(PredictFirstGap(3.2), 4U);
  EXPECT_EQ(PredictFirstGap(0.3), 1U);
  EXPECT_EQ(PredictFirstGap(142), 142U);
}

TEST(FindFirstGap, LooksTwiceWhenThePredictionHolds) {
  Cpu cpu{42, {}};
  EXPECT_EQ(FindFirstGap(42, 4096, cpu.probe()).value(), Count(42));
  EXPECT_THAT(cpu.asked, ElementsAre(42, 41));
}

TEST(FindFirstGap, FindsEveryCliffFromEveryPrediction) {
  for (uint64_t cliff = 1; cliff <= 40; ++cliff) {
    for (uint64_t predicted = 0; predicted <= 50; ++predicted) {
      Cpu cpu{cliff, {}};
      EXPECT_EQ(FindFirstGap(predicted, 40, cpu.probe()).value(), Count(cliff));
      for (const uint64_t gap : cpu.asked) {
        EXPECT_GE(gap, 1U);
        EXPECT_LE(gap, 40U);
      }
    }
  }
}

TEST(FindFirstGap, SaysThatThereIsNone) {
  Cpu cpu{5000, {}};
  const Count found = FindFirstGap(3, 4096, cpu.probe()).value();
  EXPECT_THAT(found.missing_because(), HasSubstr("under any gap up to 4096"));
}

TEST(FindFirstGap, PassesOnWhatFails) {
  const auto found =
      FindFirstGap(3, 4096, [](uint64_t) -> Result<bool> { return Environment("module in use"); });
  EXPECT_EQ(found.error().message, "module in use");
}

}  // namespace
}  // namespace plectl::experiment
