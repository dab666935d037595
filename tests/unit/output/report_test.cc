// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::output {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

experiment::TrialRecord Trial(const std::string& id, const std::string& window) {
  experiment::TrialRecord trial = experiment::SampleTrial(id);
  trial.params["ple_window"] = window;
  trial.ple_off_because.clear();
  return trial;
}

experiment::RunLog LogOf(std::vector<experiment::TrialRecord> trials) {
  experiment::RunLog log;
  log.manifests = {experiment::SampleManifest()};
  log.trials = std::move(trials);
  return log;
}

TEST(MakeReport, SplitsFixedFromVaryingSettings) {
  const Report report = MakeReport(LogOf({Trial("a", "1024"), Trial("b", "4096")}), "dir");
  EXPECT_THAT(report.varying, ElementsAre("ple_window"));
  EXPECT_THAT(report.fixed,
              Contains(analysis::Setting{analysis::SettingKind::kParam, "ple_gap", "128"}));
  ASSERT_EQ(report.groups.size(), 2U);
  EXPECT_EQ(SettingValue(report.groups[1], "ple_window"), "4096");
  EXPECT_EQ(SettingValue(report.groups[1], "nothing"), "");
}

TEST(MakeReport, TakesPlanAndHostOfTheFirstSession) {
  const Report report = MakeReport(LogOf({Trial("a", "1")}), "dir");
  EXPECT_EQ(report.run, "dir");
  EXPECT_EQ(report.plan, "sample");
  EXPECT_EQ(report.seed, 7U);
  EXPECT_THAT(report.observers, ElementsAre("bpf-exit", "bpf-on-spin"));
}

TEST(MakeReport, CountsInvalidTrialsByReasonAndLeavesThemOut) {
  const Report report = MakeReport(LogOf({Trial("a", "1"), experiment::InvalidTrial("b", "why"),
                                          experiment::InvalidTrial("c", "why")}),
                                   "dir");
  EXPECT_EQ(report.trials_valid, 1U);
  EXPECT_EQ(report.groups.size(), 1U);
  EXPECT_EQ(report.invalid.at("why"), 2U);
}

TEST(MakeReport, CountsDisturbedTrialsInTheTableAndSaysWhatHappened) {
  std::vector<experiment::TrialRecord> trials = {Trial("a", "1"), Trial("b", "1"), Trial("c", "2")};
  trials[0].disturbed_because = "allocations stalled; vmstat.allocstall 9; more";
  trials[1].disturbed_because = "allocations stalled; vmstat.allocstall 5; more";
  trials.push_back(experiment::InvalidTrial("d", "disturbed: allocations stalled; 7"));
  trials.back().disturbed_because = "allocations stalled; 7";
  const Report report = MakeReport(LogOf(trials), "dir");
  EXPECT_EQ(report.trials_disturbed, 2U);
  EXPECT_EQ(report.groups[0].disturbed, 2U);
  EXPECT_EQ(report.groups[1].disturbed, 0U);
  EXPECT_EQ(report.groups[0].trials, 2U) << "kept all the same";
  EXPECT_THAT(
      report.notes,
      Contains("2 of the 3 trials in the table were disturbed by the host and kept after "
               "their repeats: allocations stalled; for example vmstat.allocstall 9; more"));
  EXPECT_EQ(report.invalid.size(), 1U);
}

TEST(MakeReport, SaysWhichRowsWereNotContended) {
  std::vector<experiment::TrialRecord> trials = {Trial("a", "1"), Trial("b", "1"), Trial("c", "2")};
  trials[0].not_contended_because = "0 of 40 acquisitions had to wait";
  const Report report = MakeReport(LogOf(trials), "dir");
  EXPECT_EQ(report.trials_not_contended, 1U);
  EXPECT_EQ(report.groups[0].not_contended, 1U);
  EXPECT_EQ(report.groups[1].not_contended, 0U);
  EXPECT_THAT(report.notes,
              Contains(HasSubstr("NOT CONTENDED: in 1 of 2 rows the vCPUs hardly met, so their "
                                 "figures say nothing about the payload or about PLE; for example "
                                 "0 of 40 acquisitions had to wait")));
}

TEST(MakeReport, OfAQuietHostHasNoNoteOnDisturbances) {
  const Report report = MakeReport(LogOf({Trial("a", "1")}), "dir");
  EXPECT_EQ(report.trials_disturbed, 0U);
  EXPECT_THAT(report.notes, ::testing::Each(::testing::Not(HasSubstr("disturbed"))));
}

TEST(MakeReport, SaysWherePleWasOffAndThatALabIsNoSilicon) {
  experiment::RunLog log = LogOf({Trial("a", "1"), Trial("b", "2")});
  log.trials[0].ple_off_because = "ple_gap=0 turns PAUSE exits off";
  log.manifests[0].host["lab"] = "bochs";
  log.manifests.push_back(log.manifests[0]);
  const Report report = MakeReport(log, "dir");
  EXPECT_THAT(report.notes, Contains("PLE is off in 1 of 2 rows: ple_gap=0 turns PAUSE exits off"));
  EXPECT_THAT(report.notes, Contains(HasSubstr("not silicon")));
  EXPECT_THAT(report.notes, Contains("merged from 2 sessions"));
}

TEST(MakeReport, ALabsOwnNoteComesInPlaceOfTheUsualOne) {
  experiment::RunLog log = LogOf({Trial("a", "1")});
  log.manifests.push_back(log.manifests[0]);
  log.manifests[1].host["lab"] = {{"engine", "bochs-2.7"}, {"note", "a PAUSE costs 140"}};
  const Report report = MakeReport(log, "dir");
  EXPECT_EQ(report.lab, "bochs-2.7; an emulator, not silicon");
  EXPECT_THAT(report.notes, Contains("measured in the lab: a PAUSE costs 140"));
}

TEST(MakeReport, ARealHostIsNoLab) {
  EXPECT_EQ(MakeReport(LogOf({Trial("a", "1")}), "dir").lab, "");
}

TEST(MakeReport, PoolsBlocksAndLabSeeds) {
  std::vector<experiment::TrialRecord> trials;
  for (const uint64_t seed : {4U, 4U, 5U}) {
    trials.push_back(Trial(std::to_string(trials.size()), "1"));
    trials.back().lab_seed = seed;
    trials.back().block = static_cast<uint32_t>(trials.size());
  }
  const Report report = MakeReport(LogOf(trials), "dir");
  ASSERT_EQ(report.groups.size(), 1U);
  EXPECT_EQ(report.groups[0].trials, 3U);
  EXPECT_EQ(report.groups[0].lab_seeds, 2U);
  EXPECT_EQ(report.lab_seeds, 2U);
}

TEST(MakeReport, OfNothingIsEmpty) {
  const Report report = MakeReport(experiment::RunLog(), "dir");
  EXPECT_TRUE(report.groups.empty());
  EXPECT_EQ(report.plan, "");
}

}  // namespace
}  // namespace plectl::output
