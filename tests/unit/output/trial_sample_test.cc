// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/trial_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::output {
namespace {

using analysis::Setting;
using analysis::SettingKind;
using ::testing::Contains;

TEST(ToSample, TakesWorkloadThenParamsAsReadBack) {
  const analysis::TrialSample sample = ToSample(experiment::SampleTrial());
  EXPECT_EQ(sample.settings.front(), (Setting{SettingKind::kWorkload, "payload", "ttas"}));
  EXPECT_EQ(sample.settings.back(), (Setting{SettingKind::kParam, "ple_window", "4096"}));
  EXPECT_THAT(sample.settings, Contains(Setting{SettingKind::kWorkload, "cpus", "0,5"}));
  EXPECT_THAT(sample.settings, Contains(Setting{SettingKind::kWorkload, "scheduling", "fifo"}));
  EXPECT_THAT(sample.settings,
              Contains(Setting{SettingKind::kWorkload, "interrupts_off", "holding"}));
  EXPECT_EQ(sample.arm, "pause");
  EXPECT_EQ(sample.acquisitions, 20'000U);
  EXPECT_EQ(sample.pause_exits.value(), 701U);
  EXPECT_THAT(sample.settings, Contains(Setting{SettingKind::kWorkload, "random_seed", "77"}));
  EXPECT_THAT(sample.settings, Contains(Setting{SettingKind::kWorkload, "relax_repeat", "8"}));
  EXPECT_THAT(sample.settings,
              Contains(Setting{SettingKind::kWorkload, "hold_distribution", "exponential"}));
  EXPECT_EQ(sample.fairness_jain, 0.875);
  EXPECT_EQ(sample.wait_p99_tsc_cycles, 2U);
  EXPECT_EQ(sample.ple_off_because, "a reason");
  EXPECT_FALSE(sample.lab_seed);
}

TEST(ToSample, ALabSeedIsNoSetting) {
  experiment::TrialRecord trial = experiment::SampleTrial();
  const analysis::TrialSample without = ToSample(trial);
  trial.lab_seed = 3;
  EXPECT_EQ(ToSample(trial).lab_seed, 3U);
  EXPECT_EQ(ToSample(trial).settings, without.settings);
}

TEST(ToSample, AddsUpWhatPauseStormMeasuredOnEachVcpu) {
  experiment::TrialRecord trial = experiment::SampleTrial();
  trial.vcpus[0].extra = {
      {"pause_interval_tsc_cycles", 9}, {"full_runs", 2}, {"full_runs_tsc_cycles", 2052}};
  trial.vcpus[1].extra = {
      {"pause_interval_tsc_cycles", 11}, {"full_runs", 1}, {"full_runs_tsc_cycles", 1030}};
  const auto storm = ToSample(trial).storm;
  ASSERT_TRUE(storm);
  EXPECT_EQ(storm->vcpus, 2U);
  EXPECT_EQ(storm->interval_tsc_cycles, 20U);
  EXPECT_EQ(storm->full_runs, 3U);
  EXPECT_EQ(storm->full_runs_tsc_cycles, 3082U);
}

TEST(ToSample, ALockMeasuresNoStorm) {
  experiment::TrialRecord trial = experiment::SampleTrial();
  trial.vcpus[1].extra.clear();
  EXPECT_FALSE(ToSample(trial).storm);
}

}  // namespace
}  // namespace plectl::output
