// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host_tools/base/file.h"
#include "host_tools/experiment/schedule.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/experiment/embedded_payloads.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kPlanText = R"(name: dry
seed: 7
blocks: 2
params: {ple_window: [1024, 4096]}
workloads: [{payload: ttas, cpus: [0, 1]}]
)";

class DryRunTest : public ::testing::Test {
 protected:
  std::string Describe(bool as_json) {
    const Result<RemainingWork> work = FindRemainingWork(plan_, dir_.path());
    if (work)
      return DescribeDryRun(plan_, *work,
                            as_json ? DryRunForm::kJson : DryRunForm::kTextWithTrials);
    ADD_FAILURE() << work.error().Text();
    return {};
  }

  // Finishes the first `count` trials: 200 ms each, reloads of 300 ms.
  void FinishTrials(size_t count) {
    Manifest manifest = SampleManifest(plan_.seed);
    manifest.plan_sha256 = plan_.sha256;
    manifest.payload_sha256 = plan_.payload_sha256;
    std::string log = LineOf(manifest);
    const std::vector<ScheduledTrial> schedule = MakeSchedule(plan_);
    for (size_t i = 0; i < count; ++i) {
      TrialRecord trial = SampleTrial(schedule[i].id);
      trial.workload = plan_.workloads[0];
      trial.timings = {.params_ns = 300'000'000, .run_ns = 150'000'000, .own_ns = 50'000'000};
      log += LineOf(trial);
    }
    ASSERT_TRUE(WriteFileAtomically(dir_.path() / "run.jsonl", log));
  }

  Plan plan_ = ParsePlan(kPlanText, "p.yaml", Payloads()).value();
  TempDir dir_;
};

TEST_F(DryRunTest, TextShowsTheScheduleInItsOrder) {
  const std::string text = Describe(false);
  EXPECT_THAT(text, HasSubstr("plan dry: 8 trials = 2 blocks x 2 parameter sets x 1 workloads x 2 "
                              "arms, seed 7\n"));
  EXPECT_THAT(text, HasSubstr("a guess, since no trial was measured yet"));
  size_t at = 0;
  for (const ScheduledTrial& trial : MakeSchedule(plan_)) {
    const size_t found = text.find(trial.id);
    ASSERT_NE(found, std::string::npos);
    EXPECT_GT(found, at);
    at = found;
  }
  EXPECT_THAT(text, HasSubstr("ple_window=1024  ttas vcpus=2 cpus=0,1 hold=0"));
  EXPECT_THAT(text, HasSubstr("interrupts_off=never"));
}

TEST_F(DryRunTest, TextAlignsTheArmsAndNamesSeveralVms) {
  plan_ = ParsePlan(
              "name: x\narms: [pause, pause_exits_disabled]\n"
              "workloads: [{payload: ttas, vms: 3, cpus: 0}]\n",
              "p.yaml", Payloads())
              .value();
  const std::string text = Describe(false);
  EXPECT_THAT(text, HasSubstr("  pause                 (as the host has them)"));
  EXPECT_THAT(text,
              HasSubstr("  pause_exits_disabled  (as the host has them)  ttas vms=3 vcpus=2"));
}

TEST_F(DryRunTest, ChangesNothing) {
  EXPECT_FALSE(Describe(false).empty());
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(DryRunTest, JsonHoldsTheSame) {
  const nlohmann::json object = nlohmann::json::parse(Describe(true));
  EXPECT_EQ(object["trials"].size(), 8U);
  EXPECT_EQ(object["trials_finished"], 0);
  EXPECT_EQ(object["reloads_max"], CountParamChanges(MakeSchedule(plan_)));
  EXPECT_EQ(object["trials"][0]["params"].size(), 1U);
  EXPECT_FALSE(object["trials"][0].contains("lab_seed"));
  // 8 trials of 1 s and the reloads of 0.5 s.
  EXPECT_EQ(object["time_estimate_s"], 8 + 0.5 * object["reloads_max"].get<double>());
}

TEST_F(DryRunTest, FinishedTrialsAreLeftOutAndTellTheTime) {
  FinishTrials(6);
  const nlohmann::json object = nlohmann::json::parse(Describe(true));
  EXPECT_EQ(object["trials"].size(), 2U);
  EXPECT_EQ(object["trials_finished"], 6);
  EXPECT_EQ(object["reloads_max"], 1);
  EXPECT_DOUBLE_EQ(object["time_estimate_s"].get<double>(), 2 * 0.2 + 0.3);
  EXPECT_THAT(object["time_estimate_basis"].get<std::string>(), HasSubstr("medians of the 6"));
}

TEST_F(DryRunTest, NothingLeftTakesNoTime) {
  FinishTrials(8);
  const nlohmann::json object = nlohmann::json::parse(Describe(true));
  EXPECT_EQ(object["trials"].size(), 0U);
  EXPECT_EQ(object["time_estimate_s"], 0);
}

TEST_F(DryRunTest, APlanWithoutParamsNeedsNoReload) {
  plan_ =
      ParsePlan("name: x\nworkloads: [{payload: ttas, cpus: 0}]\n", "p.yaml", Payloads()).value();
  EXPECT_EQ(nlohmann::json::parse(Describe(true))["reloads_max"], 0);
}

TEST_F(DryRunTest, LabSeedsAreShownWithEachTrial) {
  plan_ = ParsePlan(std::string(kPlanText) + "lab_seeds: [3, 5]\n", "p.yaml", Payloads()).value();
  const std::string text = Describe(false);
  EXPECT_THAT(text, HasSubstr("plan dry: 16 trials = 2 lab seeds x 2 blocks x 2 parameter sets"));
  EXPECT_THAT(text, HasSubstr("one more per lab to restore"));
  EXPECT_THAT(text, HasSubstr("  lab seed 5  block 0"));
  const nlohmann::json object = nlohmann::json::parse(Describe(true));
  EXPECT_EQ(object["trials"][0]["lab_seed"], 3);
  EXPECT_EQ(object["trials"][8]["lab_seed"], 5);
}

TEST_F(DryRunTest, TheSummaryIsLastAndListsNothingUnlessAsked) {
  const RemainingWork work = FindRemainingWork(plan_, "").value();
  const std::string text = DescribeDryRun(plan_, work, DryRunForm::kText);
  EXPECT_TRUE(text.starts_with("plan dry: 8 trials"));
  EXPECT_TRUE(text.ends_with("each trial in its order: --list\n"));
  EXPECT_EQ(text.find(work.trials[0].id), std::string::npos);
  EXPECT_GT(Describe(false).find("plan dry: 8 trials"), Describe(false).find(work.trials[7].id));
}

TEST_F(DryRunTest, TellsWhatIsNotRunSinceItWouldMeasureTheSame) {
  plan_ = ParsePlan(
              "name: x\nparams: {ple_gap: [0, 128], ple_window: [1024, 4096]}\n"
              "workloads: [{payload: ttas, cpus: 0}]\n",
              "p.yaml", Payloads())
              .value();
  EXPECT_THAT(Describe(false), HasSubstr("3 parameter sets"));
  EXPECT_THAT(
      Describe(false),
      HasSubstr("equal: 1 of 4 parameter sets have the effect of another and are not run "
                "(equal_settings: keep runs them):\n  ple_gap=0 ple_window=4096: as ple_gap=0 "
                "ple_window=1024, PLE is off\n"));
  EXPECT_LT(Describe(false).find("equal: "), Describe(false).find("plan x: "));
  const nlohmann::json object = nlohmann::json::parse(Describe(true));
  EXPECT_EQ(object["equal_settings_left_out"],
            nlohmann::json({{{"ple_gap", "0"}, {"ple_window", "4096"}}}));
}

TEST_F(DryRunTest, ARunOfAnotherPlanIsRefused) {
  ASSERT_TRUE(WriteFileAtomically(dir_.path() / "run.jsonl", LineOf(SampleManifest())));
  EXPECT_FALSE(FindRemainingWork(plan_, dir_.path()));
}

}  // namespace
}  // namespace plectl::experiment
