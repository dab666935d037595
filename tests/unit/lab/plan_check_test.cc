// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/plan_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

using experiment::Arm;
using experiment::Plan;
using testing::AllOf;
using testing::HasSubstr;

Plan PlanOn(std::vector<int> cpus) {
  Plan plan;
  plan.arms = {Arm::kPause};
  plan.param_sets = {{}};
  plan.workloads.resize(1);
  plan.workloads[0].cpus = std::move(cpus);
  return plan;
}

// One whose guest spins with interrupts off.
Plan LockingPlan(std::vector<Arm> arms, std::vector<host::ParamValues> param_sets) {
  Plan plan = PlanOn({0});
  plan.arms = std::move(arms);
  plan.param_sets = std::move(param_sets);
  plan.workloads[0].interrupts_off = guests::InterruptsOff::kLocking;
  return plan;
}

LabOptions OptionsFor(std::string_view cpu_name, uint32_t cpus = 1) {
  LabOptions options;
  const LabCpuChoice choice = FindLabCpu(cpu_name).value();
  options.cpu = choice.cpu;
  options.profile = choice.profile;
  options.cpus = cpus;
  return options;
}

// Right in everything, but a guest with interrupts off is never left: Bochs 2.7.
EngineFacts Deaf() {
  return {.repeatable = true,
          .first_gap_tsc_cycles = kProbeLoopTscCycles,
          .closed_form = true,
          .ple_off_because = ""};
}

EngineFacts Coarse() {
  return {.repeatable = true, .first_gap_tsc_cycles = 16, .ple_off_because = ""};
}

EngineFacts WithoutThreshold() {
  return {.repeatable = true, .interrupts_when_off = true, .ple_off_because = "no PFTHRESHOLD"};
}

// The refusal's text, which must be an Environment error; "allowed" when there is none.
std::string Refusal(const Plan& plan, const LabOptions& options, const EngineFacts& facts) {
  const Status status = CheckPlanForLab(plan, options, facts);
  if (status) return "allowed";
  EXPECT_EQ(status.error().kind, ErrorKind::kEnvironment) << status.error().Text();
  return status.error().Text();
}

TEST(CpusFor, IsTheNextPowerOfTwo) {
  EXPECT_EQ(CpusFor(PlanOn({0})), 1U);
  EXPECT_EQ(CpusFor(PlanOn({0, 1})), 2U);
  EXPECT_EQ(CpusFor(PlanOn({1})), 2U);
  EXPECT_EQ(CpusFor(PlanOn({2, 0})), 4U);
  EXPECT_EQ(CpusFor(PlanOn({0, 3, 1})), 4U);
  Plan two = PlanOn({0});
  two.workloads.push_back(PlanOn({1}).workloads[0]);
  EXPECT_EQ(CpusFor(two), 2U);
}

TEST(CpusFor, RefusesMoreThanFour) {
  for (const int cpu : {4, 5, 1'000'000}) {
    const auto cpus = CpusFor(PlanOn({0, cpu}));
    ASSERT_FALSE(cpus) << cpu;
    EXPECT_EQ(cpus.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(cpus.error().message, HasSubstr("at most 4"));
    EXPECT_EQ(cpus.error().hint, "use CPUs 0 to 3");
  }
}

TEST(CheckLabCpus, AskedForTooFew) {
  EXPECT_TRUE(CheckLabCpus(PlanOn({1}), OptionsFor("intel", 2)));
  for (const uint32_t cpus : {0U, 1U}) {
    const Status status = CheckLabCpus(PlanOn({1}), OptionsFor("intel", cpus));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(status.error().hint, HasSubstr("--lab-cpus"));
  }
  const Status status = CheckPlanForLab(PlanOn({2}), OptionsFor("intel", 2), Coarse());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
}

TEST(CheckPlanForLab, AnUnusableEmulatorIsRefusedWithTheReason) {
  EngineFacts facts = Deaf();
  facts.repeatable = false;
  EXPECT_THAT(Refusal(PlanOn({0}), OptionsFor("amd"), facts),
              AllOf(HasSubstr("as amd: the same job gave different counts twice"),
                    HasSubstr("--lab-engine")));
}

TEST(CheckPlanForLab, ASpinThatNothingEndsIsRefusedWithAStandIn) {
  const std::string text =
      Refusal(LockingPlan({Arm::kPause, Arm::kNop}, {{}}), OptionsFor("intel"), Deaf());
  EXPECT_THAT(text, AllOf(HasSubstr("in the nop arm nothing would end the spin"),
                          HasSubstr("arms: [pause]"), HasSubstr("ple_window_max to 4000000")));
}

TEST(CheckPlanForLab, PauseExitsEndASpin) {
  for (const char* gap : {"3", "128"}) {
    EXPECT_EQ(
        Refusal(LockingPlan({Arm::kPause}, {{{"ple_gap", gap}}}), OptionsFor("intel"), Deaf()),
        "allowed");
  }
  // The kernel's default gap is 128.
  EXPECT_EQ(Refusal(LockingPlan({Arm::kPause}, {{}}), OptionsFor("intel"), Deaf()), "allowed");
  EXPECT_EQ(Refusal(LockingPlan({Arm::kPause}, {{}}), OptionsFor("amd"), Deaf()), "allowed");
}

TEST(CheckPlanForLab, AGapBelowTheLoopEndsNoSpin) {
  for (const char* gap : {"0", "2"}) {
    const Plan plan = LockingPlan({Arm::kPause}, {{{"ple_gap", "128"}}, {{"ple_gap", gap}}});
    EXPECT_THAT(Refusal(plan, OptionsFor("intel"), Deaf()),
                HasSubstr(std::string("with ple_gap=") + gap + " and a loop of at least 3"));
  }
}

TEST(CheckPlanForLab, AProfileMakesTheLoopLonger) {
  const LabOptions skylake = OptionsFor("skylake-client");
  ASSERT_EQ(skylake.profile->pause_tsc_cycles, 140U);
  EXPECT_THAT(Refusal(LockingPlan({Arm::kPause}, {{{"ple_gap", "128"}}}), skylake, Deaf()),
              HasSubstr("with ple_gap=128 and a loop of at least 142 TSC cycles"));
  EXPECT_THAT(Refusal(LockingPlan({Arm::kPause}, {{}}), skylake, Deaf()), HasSubstr("ple_gap=128"));
  EXPECT_EQ(Refusal(LockingPlan({Arm::kPause}, {{{"ple_gap", "142"}}}), skylake, Deaf()),
            "allowed");
}

TEST(CheckPlanForLab, OnAmdACountOfZeroEndsNoSpin) {
  const auto plan = [](const char* name) { return LockingPlan({Arm::kPause}, {{{name, "0"}}}); };
  EXPECT_THAT(Refusal(plan("pause_filter_count"), OptionsFor("amd"), Deaf()),
              HasSubstr("with pause_filter_count=0"));
  EXPECT_THAT(Refusal(plan("pause_filter_thresh"), OptionsFor("amd"), Deaf()),
              HasSubstr("with pause_filter_thresh=0"));
}

TEST(CheckPlanForLab, WithPleOffAltogetherNothingEndsASpin) {
  EngineFacts facts = WithoutThreshold();
  facts.interrupts_when_off = false;
  EXPECT_THAT(Refusal(LockingPlan({Arm::kPause}, {{}}), OptionsFor("amd"), facts),
              HasSubstr("since no PFTHRESHOLD nothing would end the spin"));
}

TEST(CheckPlanForLab, InterruptsEndEverySpin) {
  EngineFacts facts = Deaf();
  facts.interrupts_when_off = true;
  const Plan plan = LockingPlan({Arm::kPause, Arm::kNop}, {{{"ple_gap", "0"}}});
  EXPECT_EQ(Refusal(plan, OptionsFor("intel"), facts), "allowed");
}

TEST(CheckPlanForLab, OnlySpinningWithInterruptsOffIsRefused) {
  Plan plan = LockingPlan({Arm::kNop}, {{}});
  plan.workloads[0].interrupts_off = guests::InterruptsOff::kHolding;
  EXPECT_EQ(Refusal(plan, OptionsFor("intel"), Deaf()), "allowed");
  plan.workloads.push_back(LockingPlan({}, {}).workloads[0]);
  EXPECT_NE(Refusal(plan, OptionsFor("intel"), Deaf()), "allowed");
}

TEST(CheckPlanForLab, SeveralCpusCannotMeasureSmallGaps) {
  Plan plan = PlanOn({0, 1});
  plan.param_sets = {{{"ple_gap", "128"}}, {{"ple_gap", "15"}}};
  EXPECT_THAT(Refusal(plan, OptionsFor("intel", 2), Coarse()),
              AllOf(HasSubstr("ple_gap=15 cannot be measured with 2 emulated CPUs"),
                    HasSubstr("steps of 16"), HasSubstr("gaps of 0 or at least 16")));
  for (const char* gap : {"0", "16", "4096"}) {
    plan.param_sets = {{{"ple_gap", gap}}, {}};
    EXPECT_EQ(Refusal(plan, OptionsFor("intel", 2), Coarse()), "allowed") << gap;
  }
  Plan one = PlanOn({0});
  one.param_sets = {{{"ple_gap", "1"}}};
  EXPECT_EQ(Refusal(one, OptionsFor("intel"), Deaf()), "allowed");
}

TEST(CheckPlanForLab, AThresholdThatTheCpuLacksIsRefused) {
  Plan plan = PlanOn({0});
  plan.param_sets = {{{"pause_filter_thresh", "128"}}};
  EXPECT_THAT(Refusal(plan, OptionsFor("amd"), WithoutThreshold()),
              AllOf(HasSubstr("sets pause_filter_thresh, but no PFTHRESHOLD"),
                    HasSubstr("plectl docs lab")));
  plan.param_sets = {{{"pause_filter_thresh", "0"}}, {{"pause_filter_count", "3000"}}, {}};
  EXPECT_EQ(Refusal(plan, OptionsFor("amd"), WithoutThreshold()), "allowed");
  plan.param_sets = {{{"pause_filter_thresh", "128"}}};
  EXPECT_EQ(Refusal(plan, OptionsFor("amd"), Deaf()), "allowed");
}

}  // namespace
}  // namespace plectl::lab
