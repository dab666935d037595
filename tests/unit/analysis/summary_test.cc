// SPDX-License-Identifier: Apache-2.0
#include "host_tools/analysis/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::analysis {
namespace {

using ::testing::ElementsAre;

TrialSample Sample(const std::string& window, const std::string& arm, double throughput) {
  TrialSample sample;
  sample.settings = {{SettingKind::kWorkload, "payload", "ttas"},
                     {SettingKind::kParam, "ple_window", window}};
  sample.arm = arm;
  sample.throughput_per_s = throughput;
  sample.pause_exits = Count(10);
  sample.window_updates = Count(0);
  sample.acquisitions = 5;
  return sample;
}

TEST(Median, OfOddAndEvenCounts) {
  EXPECT_EQ(Median({5}), 5);
  EXPECT_EQ(Median({9, 1, 5}), 5);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median({1e308, 1e308}), 1e308);  // no overflow on the way
}

TEST(Summarize, OfNothingIsNothing) { EXPECT_TRUE(Summarize({}).empty()); }

TEST(Summarize, GroupsByPointAndArm) {
  const std::vector<TrialSample> samples = {Sample("4096", "pause", 30), Sample("4096", "nop", 5),
                                            Sample("4096", "pause", 10),
                                            Sample("4096", "pause", 20)};
  const std::vector<Group> groups = Summarize(samples);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].arm, "pause");
  EXPECT_EQ(groups[0].trials, 3U);
  const Spread spread = groups[0].quantities[Quantity::kThroughput].spread.value();
  EXPECT_EQ(spread.median, 20);
  EXPECT_EQ(spread.min, 10);
  EXPECT_EQ(spread.max, 30);
  EXPECT_EQ(groups[1].arm, "nop");
  EXPECT_EQ(groups[1].trials, 1U);
}

TEST(Summarize, OrdersTheArms) {
  const std::vector<Group> groups =
      Summarize(std::vector<TrialSample>{Sample("4096", "pause_exits_disabled", 1),
                                         Sample("4096", "nop", 1), Sample("4096", "pause", 1)});
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].arm, "pause");
  EXPECT_EQ(groups[1].arm, "nop");
  EXPECT_EQ(groups[2].arm, "pause_exits_disabled");
}

TEST(Summarize, PoolsTheLabSeedsOfAPointAndCountsThem) {
  std::vector<TrialSample> samples;
  for (const uint64_t seed : {7u, 0u, 7u, 9u}) {
    samples.push_back(Sample("4096", "pause", static_cast<double>(seed)));
    samples.back().lab_seed = seed;
  }
  const std::vector<Group> groups = Summarize(samples);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].trials, 4U);
  EXPECT_EQ(groups[0].lab_seeds, 3U);
  EXPECT_EQ(CountLabSeeds(samples), 3U);
  EXPECT_EQ(groups[0].quantities[Quantity::kThroughput].spread->max, 9);
  samples.resize(1);
  samples[0].lab_seed.reset();
  EXPECT_EQ(Summarize(samples)[0].lab_seeds, 0U);
}

TEST(Summarize, SortsNumbersAsNumbers) {
  const std::vector<TrialSample> samples = {Sample("1024", "nop", 1), Sample("256", "nop", 1),
                                            Sample("word", "nop", 1), Sample("65536", "nop", 1)};
  std::vector<std::string> windows;
  for (const Group& group : Summarize(samples)) windows.push_back(group.settings[1].value);
  EXPECT_THAT(windows, ElementsAre("256", "1024", "65536", "word"));
}

TEST(Summarize, EqualNumbersInOtherWordsStaySeparate) {
  const std::vector<TrialSample> samples = {Sample("8", "nop", 1), Sample("08", "nop", 1)};
  EXPECT_EQ(Summarize(samples).size(), 2U);
}

TEST(Summarize, OneMissingReadingMakesTheQuantityMissing) {
  std::vector<TrialSample> samples = {Sample("8", "nop", 1), Sample("8", "nop", 2)};
  samples[1].window_updates = Count::Missing("perf cannot see them");
  const std::vector<Group> groups = Summarize(samples);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_FALSE(groups[0].quantities[Quantity::kWindowUpdates].spread);
  EXPECT_EQ(groups[0].quantities[Quantity::kWindowUpdates].missing_because, "perf cannot see them");
  EXPECT_TRUE(groups[0].quantities[Quantity::kThroughput].spread);
}

TEST(Summarize, KeepsWhyPleWasOff) {
  std::vector<TrialSample> samples = {Sample("8", "nop", 1)};
  samples[0].ple_off_because = "ple_gap is 0";
  EXPECT_EQ(Summarize(samples)[0].ple_off_because, "ple_gap is 0");
}

TEST(Quantities, HaveDifferentNames) {
  for (const Quantity a : kQuantities) {
    for (const Quantity b : kQuantities) {
      EXPECT_EQ(a == b, QuantityName(a) == QuantityName(b));
      EXPECT_EQ(a == b, QuantityTitle(a) == QuantityTitle(b));
    }
  }
}

}  // namespace
}  // namespace plectl::analysis
