// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/self_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace plectl::lab {
namespace {

using experiment::Arm;
using experiment::TrialRecord;
using testing::HasSubstr;

TrialRecord Trial(Arm arm, host::ParamValues params, uint64_t pause_exits, uint64_t others) {
  TrialRecord trial;
  trial.arm = arm;
  trial.params = std::move(params);
  trial.pause_exits = pause_exits;
  trial.kvm_exits_total = pause_exits + others;
  return trial;
}

// With interrupts off: `timer_exits` and nothing else.
TrialRecord InterruptsOff(uint64_t timer_exits) {
  return Trial(Arm::kNop, {{"ple_gap", "128"}, {"pause_filter_thresh", "128"}}, 0, timer_exits);
}

TrialRecord IntelLoop(uint64_t gap, uint64_t window, uint64_t pause_exits, uint64_t others = 0) {
  return Trial(Arm::kPause,
               {{"ple_gap", std::to_string(gap)}, {"ple_window", std::to_string(window)}},
               pause_exits, others);
}

TrialRecord AmdLoop(uint64_t threshold, uint64_t count, uint64_t pause_exits) {
  return Trial(Arm::kPause,
               {{"pause_filter_thresh", std::to_string(threshold)},
                {"pause_filter_count", std::to_string(count)}},
               pause_exits, 0);
}

// What a faithful emulator gives for 12000 turns of 3 TSC cycles: 12000 / (window / 3 + 2).
std::vector<TrialRecord> FaithfulIntel() {
  return {InterruptsOff(15),       IntelLoop(1, 4096, 0),   IntelLoop(2, 4096, 0),
          IntelLoop(3, 4096, 8),   IntelLoop(4, 4096, 8),   IntelLoop(128, 4096, 8),
          IntelLoop(128, 9, 2400), IntelLoop(128, 1000, 35)};
}

// 12000 / (count + 2).
std::vector<TrialRecord> FaithfulAmd() {
  return {InterruptsOff(15),     AmdLoop(1, 4096, 0),   AmdLoop(2, 4096, 0),   AmdLoop(3, 4096, 2),
          AmdLoop(128, 4096, 2), AmdLoop(128, 9, 1090), AmdLoop(128, 1000, 11)};
}

EngineFacts FactsOf(LabCpu cpu, const std::vector<TrialRecord>& trials) {
  const auto facts = FactsFromTrials(cpu, trials);
  EXPECT_TRUE(facts) << facts.error().Text();
  return facts.value_or(EngineFacts());
}

TEST(FactsFromTrials, AFaithfulEmulator) {
  const EngineFacts expected{.repeatable = false,
                             .first_gap_tsc_cycles = 3,
                             .closed_form = true,
                             .interrupts_when_off = true,
                             .ple_off_because = ""};
  EXPECT_EQ(FactsOf(LabCpu::kIntel, FaithfulIntel()), expected);
  EXPECT_EQ(FactsOf(LabCpu::kAmd, FaithfulAmd()), expected);
}

TEST(FactsFromTrials, TheFirstGapIsTheSmallestWithExits) {
  const std::vector<TrialRecord> coarse = {InterruptsOff(15), IntelLoop(16, 4096, 5),
                                           IntelLoop(4, 4096, 0), IntelLoop(6, 4096, 1)};
  EXPECT_EQ(FactsOf(LabCpu::kIntel, coarse).first_gap_tsc_cycles, 6U);
  const std::vector<TrialRecord> never = {InterruptsOff(15), IntelLoop(128, 4096, 0)};
  EXPECT_EQ(FactsOf(LabCpu::kIntel, never).first_gap_tsc_cycles, 0U);
}

TEST(FactsFromTrials, TheFormulaHoldsToOneExit) {
  for (const uint64_t exits : {34U, 35U, 36U}) {
    EXPECT_TRUE(
        FactsOf(LabCpu::kIntel, {InterruptsOff(0), IntelLoop(128, 1000, exits)}).closed_form)
        << exits;
  }
  for (const uint64_t exits : {0U, 33U, 37U}) {
    EXPECT_FALSE(
        FactsOf(LabCpu::kIntel, {InterruptsOff(0), IntelLoop(128, 1000, exits)}).closed_form)
        << exits;
  }
  EXPECT_FALSE(FactsOf(LabCpu::kAmd, {InterruptsOff(0), AmdLoop(128, 9, 2400)}).closed_form);
}

TEST(FactsFromTrials, EachOtherExitMayCostAPauseExit) {
  EXPECT_TRUE(FactsOf(LabCpu::kIntel, {InterruptsOff(0), IntelLoop(128, 1000, 30, 5)}).closed_form);
  EXPECT_FALSE(
      FactsOf(LabCpu::kIntel, {InterruptsOff(0), IntelLoop(128, 1000, 30, 4)}).closed_form);
}

TEST(FactsFromTrials, ExitsWithAGapBelowTheLoopAreWrong) {
  std::vector<TrialRecord> trials = FaithfulIntel();
  trials[2].pause_exits = 8;
  const EngineFacts facts = FactsOf(LabCpu::kIntel, trials);
  EXPECT_FALSE(facts.closed_form);
  EXPECT_EQ(facts.first_gap_tsc_cycles, 2U);
}

TEST(FactsFromTrials, FewExitsWithInterruptsOffAreNotTheTimers) {
  std::vector<TrialRecord> trials = FaithfulIntel();
  trials[0] = InterruptsOff(7);
  EXPECT_FALSE(FactsOf(LabCpu::kIntel, trials).interrupts_when_off);
  trials[0] = InterruptsOff(8);
  EXPECT_TRUE(FactsOf(LabCpu::kIntel, trials).interrupts_when_off);
}

TEST(FactsFromTrials, WithPleOffNoLoopIsNeeded) {
  TrialRecord off = InterruptsOff(15);
  off.ple_off_because = "no PFTHRESHOLD";
  const EngineFacts facts = FactsOf(LabCpu::kAmd, {off});
  EXPECT_EQ(facts.ple_off_because, "no PFTHRESHOLD");
  EXPECT_TRUE(facts.interrupts_when_off);
  EXPECT_EQ(facts.first_gap_tsc_cycles, 0U);
}

TEST(FactsFromTrials, WhatIsMissingIsInconclusive) {
  std::vector<TrialRecord> no_total = FaithfulIntel();
  no_total[3].kvm_exits_total = Count::Missing("no statistic");
  std::vector<TrialRecord> no_pause_exits = FaithfulIntel();
  no_pause_exits[0].pause_exits = Count::Missing("lost events");
  const std::vector<std::vector<TrialRecord>> incomplete = {
      {}, {InterruptsOff(15)}, {IntelLoop(128, 4096, 8)}, no_total, no_pause_exits};
  for (const auto& trials : incomplete) {
    const auto facts = FactsFromTrials(LabCpu::kIntel, trials);
    ASSERT_FALSE(facts) << trials.size();
    EXPECT_EQ(facts.error().kind, ErrorKind::kInconclusive);
    EXPECT_THAT(facts.error().message, HasSubstr("lacks"));
  }
}

TEST(LaneOf, SeveralCpusAreAnotherLane) {
  LabOptions options;
  EXPECT_EQ(LaneOf(options).name(), "intel");
  options.cpus = 4;
  EXPECT_EQ(LaneOf(options).name(), "intel-smp");
  options.cpu = LabCpu::kAmd;
  EXPECT_EQ(LaneOf(options).name(), "amd-smp");
  options.cpus = 1;
  EXPECT_EQ(LaneOf(options).name(), "amd");
}

TEST(SelfTest, TheFirstManifestSaysHowTheLabStarted) {
  constexpr std::string_view kCold = R"({"kind":"manifest","host":{"lab":{"seed_start":"cold"}}})";
  constexpr std::string_view kResumed =
      R"({"kind":"manifest","host":{"lab":{"seed_start":"snapshot"}}})";
  EXPECT_EQ(StartOf(kCold), "cold");
  EXPECT_EQ(StartOf(std::string(kResumed) + "\n" + std::string(kCold) + "\n"), "snapshot");
  for (const char* other :
       {"", "{", "[]", "3\n", R"({"host":{"lab":null}})", R"({"host":{"lab":"bochs-2.7,cpu"}})",
        R"({"host":{"lab":{"seed_start":1}}})"}) {
    EXPECT_EQ(StartOf(other), "") << other;
  }
}

}  // namespace
}  // namespace plectl::lab
