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
