// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/equal_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::experiment {
namespace {

using host::ParamValues;
using ::testing::ElementsAre;

bool AreEqual(const ParamValues& a, const ParamValues& b) { return EffectOf(a) == EffectOf(b); }

TEST(EffectOf, WithoutPleTheRestDoesNothing) {
  const ParamValues off = {{"ple_gap", "0"}};
  EXPECT_TRUE(AreEqual(off, {{"ple_gap", "0"}, {"ple_window", "1024"}}));
  EXPECT_TRUE(AreEqual(off, {{"ple_gap", "0"}, {"ple_window_grow", "2"}, {"ple_window_max", "9"}}));
  EXPECT_TRUE(AreEqual(off, {{"ple_gap", "0"}, {"ple_window_shrink", "3"}}));
  EXPECT_FALSE(AreEqual(off, {{"ple_gap", "128"}}));
  EXPECT_FALSE(AreEqual(off, {}));
}

TEST(EffectOf, OnAmdCountAndThresholdTurnItOff) {
  const ParamValues off = {{"pause_filter_count", "0"}};
  EXPECT_TRUE(AreEqual(off, {{"pause_filter_thresh", "0"}}));
  EXPECT_TRUE(AreEqual(off, {{"pause_filter_thresh", "0"}, {"pause_filter_count", "3000"}}));
  EXPECT_TRUE(AreEqual(off, {{"pause_filter_count", "0"}, {"pause_filter_count_grow", "2"}}));
  EXPECT_FALSE(AreEqual(off, {{"pause_filter_thresh", "128"}}));
}

TEST(EffectOf, AWindowThatNeverGrowsKnowsNoMaximumAndNoShrink) {
  const ParamValues fixed = {{"ple_window", "4096"}, {"ple_window_grow", "0"}};
  EXPECT_TRUE(AreEqual(fixed, {{"ple_window", "4096"}, {"ple_window_grow", "1"}}));
  EXPECT_TRUE(AreEqual(
      fixed, {{"ple_window", "4096"}, {"ple_window_grow", "0"}, {"ple_window_max", "65536"}}));
  EXPECT_TRUE(AreEqual(
      fixed, {{"ple_window", "4096"}, {"ple_window_grow", "0"}, {"ple_window_shrink", "2"}}));
  EXPECT_TRUE(AreEqual(
      fixed, {{"ple_window", "4096"}, {"ple_window_grow", "2"}, {"ple_window_max", "4096"}}));
  EXPECT_FALSE(AreEqual(fixed, {{"ple_window", "8192"}, {"ple_window_grow", "0"}}));
  EXPECT_FALSE(AreEqual(fixed, {{"ple_window", "4096"}, {"ple_window_grow", "2"}}));
  EXPECT_TRUE(AreEqual({{"pause_filter_count_grow", "0"}, {"pause_filter_count_max", "7"}},
                       {{"pause_filter_count_grow", "0"}}));
}

// The kernel's own arithmetic: grow 1 adds to a base of 1, a maximum below the base is reached by
// the first growth, and a shrink above the base wraps around.
TEST(EffectOf, AWindowIsFixedOnlyWhereTheKernelKeepsIt) {
  const auto set = [](const char* window, const char* grow, const char* shrink, const char* max) {
    return ParamValues{{"ple_window", window},
                       {"ple_window_grow", grow},
                       {"ple_window_shrink", shrink},
                       {"ple_window_max", max}};
  };
  const char* const kMax = "4294967295";
  EXPECT_FALSE(AreEqual(set("1", "0", "0", kMax), set("1", "1", "0", kMax)));
  EXPECT_TRUE(AreEqual(set("2", "0", "0", kMax), set("2", "1", "0", kMax)));
  EXPECT_FALSE(AreEqual(set("4096", "0", "0", "64"), set("4096", "1", "0", "64")));
  EXPECT_TRUE(AreEqual(set("4096", "0", "0", "64"), set("4096", "0", "0", kMax)));
  EXPECT_FALSE(AreEqual(set("4096", "0", "0", kMax), set("4096", "0", "8192", kMax)));
  EXPECT_TRUE(AreEqual(set("4096", "0", "0", kMax), set("4096", "0", "4096", kMax)));
  EXPECT_EQ(WhyEqual(set("4096", "0", "0", kMax)), "the window never changes");
}

TEST(EffectOf, StepsThatEndAtTheSameWindowAreEqual) {
  const auto set = [](const char* grow, const char* shrink, const char* max) {
    return ParamValues{{"ple_window", "4096"},
                       {"ple_window_grow", grow},
                       {"ple_window_shrink", shrink},
                       {"ple_window_max", max}};
  };
  EXPECT_TRUE(AreEqual(set("2", "0", "8192"), set("8", "0", "8192")));
  EXPECT_TRUE(AreEqual(set("2", "0", "8192"), set("2", "2", "8192")));
  EXPECT_TRUE(AreEqual(set("2", "0", "64"), set("1", "0", "64")));
  EXPECT_FALSE(AreEqual(set("2", "0", "16384"), set("4", "0", "16384")));
  EXPECT_FALSE(AreEqual(set("2", "0", "16384"), set("2", "2", "16384")));
  EXPECT_FALSE(AreEqual(set("2", "0", "8192"), set("2", "1", "8192")));
  EXPECT_EQ(WhyEqual(set("2", "0", "8192")), "the window changes by the same steps");
}

TEST(EffectOf, WhatIsNoNumberIsKept) {
  EXPECT_FALSE(AreEqual({{"ple_gap", "N"}, {"ple_window", "1"}}, {{"ple_gap", "N"}}));
}

TEST(TakeEqualSettings, LeavesTheFirstOfEach) {
  std::vector<ParamValues> sets = {{{"ple_gap", "128"}},
                                   {{"ple_gap", "0"}, {"ple_window", "1"}},
                                   {{"ple_gap", "0"}, {"ple_window", "2"}}};
  EXPECT_THAT(TakeEqualSettings(sets),
              ElementsAre(ParamValues{{"ple_gap", "0"}, {"ple_window", "2"}}));
  EXPECT_THAT(sets, ElementsAre(ParamValues{{"ple_gap", "128"}},
                                ParamValues{{"ple_gap", "0"}, {"ple_window", "1"}}));
}

}  // namespace
}  // namespace plectl::experiment
