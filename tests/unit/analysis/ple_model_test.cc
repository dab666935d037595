// SPDX-License-Identifier: Apache-2.0
#include "host_tools/analysis/ple_model.h"

#include <gtest/gtest.h>

namespace plectl::analysis {
namespace {

constexpr WindowRule kAmdDefaults = {
    .base = 3000, .grow = 2, .shrink = 0, .max = 65535, .width = WindowWidth::k16Bits};

TEST(GrowWindow, DoublesUntilTheMaximum) {
  const WindowRule rule;
  EXPECT_EQ(GrowWindow(4096, rule), 8192U);
  EXPECT_EQ(GrowWindow(2147483648U, rule), UINT32_MAX);
  EXPECT_EQ(GrowWindow(UINT32_MAX, rule), UINT32_MAX);
}

TEST(GrowWindow, ZeroGivesTheBaseAndIgnoresTheMaximum) {
  EXPECT_EQ(GrowWindow(99999, {.base = 4096, .grow = 0, .max = 100}), 4096U);
}

TEST(GrowWindow, AddsAModifierAtOrAboveTheBase) {
  EXPECT_EQ(GrowWindow(1024, {.base = 1024, .grow = 2048}), 3072U);
  EXPECT_EQ(GrowWindow(1024, {.base = 1024, .grow = 1024}), 2048U);
  EXPECT_EQ(GrowWindow(UINT32_MAX - 1, {.base = 1, .grow = 5}), UINT32_MAX);
}

TEST(GrowWindow, TheMaximumMayBeBelowTheBase) {
  EXPECT_EQ(GrowWindow(4096, {.base = 4096, .grow = 2, .max = 100}), 100U);
}

TEST(ShrinkWindow, ZeroGivesTheBase) {
  EXPECT_EQ(ShrinkWindow(UINT32_MAX, {.base = 4096, .shrink = 0}), 4096U);
}

TEST(ShrinkWindow, DividesButNeverBelowTheBase) {
  EXPECT_EQ(ShrinkWindow(65536, {.base = 4096, .shrink = 2}), 32768U);
  EXPECT_EQ(ShrinkWindow(8192, {.base = 4096, .shrink = 100}), 4096U);
}

// The kernel's unsigned arithmetic, computed with the kernel's own C.
TEST(ShrinkWindow, WrapsBelowZero) {
  EXPECT_EQ(ShrinkWindow(4096, {.base = 4096, .shrink = 8192}), 4294963200U);
}

TEST(ShrinkWindow, IsCutTo16BitsOnAmd) {
  EXPECT_EQ(ShrinkWindow(3000, {.base = 3000, .shrink = 4000, .width = WindowWidth::k16Bits}),
            64536U);
}

TEST(PredictWindowUpdates, IntelDefaultsReachTheMaximumIn20Exits) {
  const WindowRule rule;
  EXPECT_EQ(PredictWindowUpdates(0, rule), 0U);
  EXPECT_EQ(PredictWindowUpdates(19, rule), 19U);
  EXPECT_EQ(PredictWindowUpdates(20, rule), 20U);
  EXPECT_EQ(PredictWindowUpdates(UINT64_MAX, rule), 20U);
}

TEST(PredictWindowUpdates, AmdDefaultsReachTheCapIn5Exits) {
  EXPECT_EQ(PredictWindowUpdates(1000, kAmdDefaults), 5U);
}

TEST(PredictWindowUpdates, FixedWindowsNeverChange) {
  EXPECT_EQ(PredictWindowUpdates(1000, {.base = 4096, .grow = 0}), 0U);
  EXPECT_EQ(PredictWindowUpdates(1000, {.base = 4096, .grow = 1}), 0U);
}

TEST(PredictWindowUpdates, CountsTheStepToAMaximumBelowTheBase) {
  EXPECT_EQ(PredictWindowUpdates(1000, {.base = 4096, .grow = 2, .max = 100}), 1U);
}

TEST(PredictWindowUpdates, CountsAdditiveSteps) {
  EXPECT_EQ(PredictWindowUpdates(1000, {.base = 1024, .grow = 1024, .max = 4096}), 3U);
  EXPECT_EQ(PredictWindowUpdates(1000, {.base = 1024, .grow = 2000, .max = 4096}), 2U);
}

// Measured in the lab: 120,000 PAUSEs at a distance of 3 TSC cycles.
TEST(PredictPauseExits, MatchesTheMeasuredClosedForm) {
  const SpinLoop loop = {.pauses = 120'000, .interval_tsc_cycles = 3};
  const auto exits = [&loop](uint64_t window) {
    return PredictPauseExits(loop, {.gap_tsc_cycles = 128, .window_tsc_cycles = window}).value();
  };
  EXPECT_EQ(exits(0), 60'000U);
  EXPECT_EQ(exits(2), 60'000U);
  EXPECT_EQ(exits(3), 40'000U);
  EXPECT_EQ(exits(5), 40'000U);
  EXPECT_EQ(exits(6), 30'000U);
  EXPECT_EQ(exits(8), 30'000U);
  EXPECT_EQ(exits(9), 24'000U);
  EXPECT_EQ(exits(100), 3'428U);
  EXPECT_EQ(exits(1000), 358U);  // measured 357: a timer tick restarts a loop now and then
  EXPECT_EQ(exits(4096), 87U);
}

TEST(PredictPauseExits, TheCliffStandsWhereTheGapMeetsTheInterval) {
  const SpinLoop loop = {.pauses = 120'000, .interval_tsc_cycles = 13};
  EXPECT_EQ(PredictPauseExits(loop, {.gap_tsc_cycles = 0, .window_tsc_cycles = 0}), 0U);
  EXPECT_EQ(PredictPauseExits(loop, {.gap_tsc_cycles = 12, .window_tsc_cycles = 0}), 0U);
  EXPECT_EQ(PredictPauseExits(loop, {.gap_tsc_cycles = 13, .window_tsc_cycles = 0}), 60'000U);
}

TEST(PredictPauseExits, HasNoAnswerForAnIntervalOfZero) {
  EXPECT_FALSE(PredictPauseExits({.pauses = 1, .interval_tsc_cycles = 0}, {}));
}

}  // namespace
}  // namespace plectl::analysis
