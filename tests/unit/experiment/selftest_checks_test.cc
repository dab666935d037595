// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/selftest_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/experiment/selftest.h"
#include "host_tools/guests/payload_source.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using host::KvmModule;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kTurns = 100'000;

TrialRecord WindowTrial(uint64_t exits, uint64_t all_exits) {
  TrialRecord trial = SampleTrial();
  trial.ple_off_because.clear();
  trial.params = {{"ple_gap", "128"}, {"ple_window", "4096"}, {"pause_filter_count", "3000"}};
  trial.workload.iterations = kTurns;
  trial.pause_exits = trial.pause_exits_check = exits;
  trial.kvm_exits_total = all_exits;
  return trial;
}

CheckOutcome Window(uint64_t exits, uint64_t others, double interval,
                    KvmModule module = KvmModule::kIntel) {
  return CheckWindow(module, WindowTrial(exits, exits + others), interval).outcome;
}

TEST(CheckWindow, AllowsForAClockThatHalvesOrDoubles) {
  // floor(4096 / 100) + 2 = 42 turns for each exit: 2380.
  EXPECT_EQ(Window(2380, 10, 100), CheckOutcome::kPassed);
  EXPECT_EQ(Window(4700, 0, 100), CheckOutcome::kPassed);
  EXPECT_EQ(Window(1200, 0, 100), CheckOutcome::kPassed);
  EXPECT_EQ(Window(5000, 0, 100), CheckOutcome::kFailed);
  EXPECT_EQ(Window(1000, 5, 100), CheckOutcome::kFailed);
  EXPECT_EQ(Window(1000, 300, 100), CheckOutcome::kPassed) << "others open the loop anew";
  EXPECT_EQ(Window(0, 0, 100), CheckOutcome::kFailed);
}

TEST(CheckWindow, HoldsAmdToItsCount) {
  EXPECT_EQ(Window(33, 0, 60, KvmModule::kAmd), CheckOutcome::kPassed);
  EXPECT_EQ(Window(44, 0, 60, KvmModule::kAmd), CheckOutcome::kFailed);
  EXPECT_EQ(Window(20, 0, 60, KvmModule::kAmd), CheckOutcome::kFailed);
}

TEST(CheckWindow, IsMissingWhereNothingWasCounted) {
  TrialRecord trial = WindowTrial(1, 1);
  trial.ple_off_because = "ple_gap=0 turns PAUSE exits off";
  EXPECT_EQ(CheckWindow(KvmModule::kIntel, trial, 3).because, trial.ple_off_because);
  trial = WindowTrial(1, 1);
  trial.pause_exits = Count::Missing("no observer");
  EXPECT_EQ(CheckWindow(KvmModule::kIntel, trial, 3).outcome, CheckOutcome::kMissing);
}

TEST(CheckGapCliff, ComparesTheFirstGapWithTheDistance) {
  CalibrationReport report;
  report.gap_name = "ple_gap";
  LoopCliff loop{"wait_loop", 0, 142, 142, 142};
  EXPECT_EQ(CheckGapCliff(report, loop).outcome, CheckOutcome::kPassed);
  loop.first_gap = 71;
  EXPECT_EQ(CheckGapCliff(report, loop).outcome, CheckOutcome::kPassed);
  loop.first_gap = 70;
  EXPECT_EQ(CheckGapCliff(report, loop).outcome, CheckOutcome::kFailed);
  loop.first_gap = 300;
  EXPECT_EQ(CheckGapCliff(report, loop).outcome, CheckOutcome::kFailed);
  loop.first_gap = Count::Missing("no PAUSE exit under any gap up to 65535");
  EXPECT_THAT(CheckGapCliff(report, loop).because, HasSubstr("under any gap"));
  EXPECT_EQ(CheckGapCliff(report, loop).outcome, CheckOutcome::kFailed);
  report.not_tried_because = "no PFTHRESHOLD";
  EXPECT_EQ(CheckGapCliff(report, loop).outcome, CheckOutcome::kMissing);
}

TEST(CheckGapCliff, IsMissingWhereNoTimeWasLeft) {
  LoopCliff loop{"wait_loop", 0, 142, 142, Count::Missing(std::string(kOutOfTime)), true};
  const SelftestCheck check = CheckGapCliff(CalibrationReport(), loop);
  EXPECT_EQ(check.outcome, CheckOutcome::kMissing);
  EXPECT_EQ(check.because, kOutOfTime);
}

TEST(CheckCoreClock, TakesAnyRatioThatPlectlAllowsFor) {
  host::MsrCounts counts;
  EXPECT_EQ(CheckCoreClock(counts).outcome, CheckOutcome::kMissing);
  EXPECT_FALSE(CheckCoreClock(counts).essential);
  counts.mperf = 1'000'000;
  for (const uint64_t aperf : {100'000U, 400'000U, 1'000'000U, 2'000'000U, 8'000'000U}) {
    counts.aperf = aperf;
    EXPECT_EQ(CheckCoreClock(counts).outcome, CheckOutcome::kPassed) << aperf;
  }
  counts.aperf = 9'000'000;
  EXPECT_EQ(CheckCoreClock(counts).outcome, CheckOutcome::kFailed);
  counts.mperf = 0;
  EXPECT_EQ(CheckCoreClock(counts).outcome, CheckOutcome::kMissing);
}

TEST(CheckWitnesses, NeedsAllThreeInEveryTrial) {
  std::vector<TrialRecord> trials = {WindowTrial(5, 9), WindowTrial(7, 8)};
  EXPECT_THAT(CheckWitnesses(trials).measured, HasSubstr("17 exits in 2 trials"));
  trials[1].pause_exits_check = Count::Missing("not attached");
  EXPECT_EQ(CheckWitnesses(trials).outcome, CheckOutcome::kMissing);
  trials[1].invalid_because = "the observers disagree";
  EXPECT_EQ(CheckWitnesses(trials).because, "the observers disagree");
  EXPECT_EQ(CheckWitnesses({}).outcome, CheckOutcome::kMissing);
}

TEST(CheckContended, FailsWhereTheDefaultLengthIsTooShort) {
  TrialRecord trial = SampleTrial();
  trial.not_contended_because = "they hardly met";
  EXPECT_EQ(CheckContended(trial).because, "they hardly met");
  trial.not_contended_because.clear();
  EXPECT_EQ(CheckContended(trial).outcome, CheckOutcome::kPassed);
  trial.contention.reset();
  EXPECT_EQ(CheckContended(trial).outcome, CheckOutcome::kMissing);
}

TEST(CheckRestored, NamesWhatDiffers) {
  const KvmState before{{{"ple_gap", "128"}}, 020660, 0, 123};
  KvmState after = before;
  EXPECT_EQ(CheckRestored(before, after).outcome, CheckOutcome::kPassed);
  after.device_mode = 020600;
  EXPECT_THAT(CheckRestored(before, after).because,
              HasSubstr("/dev/kvm has mode 600, owner 0:123; before, /dev/kvm has mode 660"));
  after.params["ple_gap"] = "0";
  EXPECT_THAT(CheckRestored(before, after).because, HasSubstr("ple_gap is 0 instead of 128"));
  after.device_mode.reset();
  EXPECT_THAT(CheckRestored(before, after).because, HasSubstr("is not there"));
}

TEST(SelftestExitCode, FailsBeforeItIsInconclusive) {
  SelftestCheck passed;
  passed.outcome = CheckOutcome::kPassed;
  SelftestCheck optional;
  optional.essential = false;
  SelftestCheck failed;
  failed.outcome = CheckOutcome::kFailed;
  EXPECT_EQ(SelftestExitCode({passed, optional}), 0);
  EXPECT_EQ(SelftestExitCode({passed, SelftestCheck()}), 5);
  EXPECT_EQ(SelftestExitCode({passed, SelftestCheck(), failed}), 1);
  EXPECT_EQ(SelftestExitCode({}), 5);
}

// All of a self-test that has no time at all; `made` counts what it takes of the host.
SelftestReport OutOfTimeAtOnce(int& made) {
  const auto payloads = guests::EmbeddedPayloads();
  const HostRoot root(PLECTL_FIXTURES "/hosts/intel_ple");
  auto report =
      RunSelftest({.root = root,
                   .payloads = *payloads,
                   .make_calibrator = [&]() -> Result<std::unique_ptr<Calibrator>> {
                     ++made;
                     return Internal("not to be made");
                   },
                   .make_executor = [&](const Plan&) -> Result<std::unique_ptr<Executor>> {
                     ++made;
                     return Internal("not to be made");
                   },
                   .out_of_time = [] { return true; }});
  EXPECT_TRUE(report) << report.error().Text();
  return *std::move(report);
}

TEST(RunSelftest, NamesEveryCheckThatHadNoTurn) {
  int made = 0;
  const SelftestReport report = OutOfTimeAtOnce(made);
  EXPECT_EQ(made, 0);
  std::vector<std::string> names;
  for (const SelftestCheck& check : report.checks) {
    names.push_back(check.name);
    if (check.name == "tsc" || check.name == "restored") continue;
    EXPECT_EQ(check.outcome, CheckOutcome::kMissing) << check.name;
    EXPECT_EQ(check.because, "not tried: out of time") << check.name;
    EXPECT_THAT(check.expectation, Not(IsEmpty())) << check.name;
  }
  EXPECT_EQ(names, SelftestCheckNames(KvmModule::kIntel));
  EXPECT_THAT(names, ::testing::IsSupersetOf({"window 4096", "control nop", "contention"}));
  EXPECT_EQ(report.checks.back().outcome, CheckOutcome::kPassed);
  EXPECT_EQ(SelftestExitCode(report.checks), 5);
}

TEST(SelftestPlan, IsOneThatPlectlTakes) {
  const auto payloads = guests::EmbeddedPayloads();
  ASSERT_TRUE(payloads);
  for (const KvmModule module : {KvmModule::kIntel, KvmModule::kAmd}) {
    for (const double interval : {0.5, 3.0, 142.0, 5000.0}) {
      const auto plan = ParsePlan(SelftestPlan(module, interval, 3), "selftest", *payloads);
      ASSERT_TRUE(plan) << plan.error().Text();
      EXPECT_EQ(plan->param_sets.size(), 2U);
      EXPECT_EQ(plan->workloads.size(), 2U);
      EXPECT_THAT(plan->workloads[1].cpus, ::testing::ElementsAre(3));
    }
  }
}

}  // namespace
}  // namespace plectl::experiment
