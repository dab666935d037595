// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/replicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ScheduledTrial Of(std::optional<uint64_t> lab_seed) {
  ScheduledTrial trial;
  trial.lab_seed = lab_seed;
  return trial;
}

TrialRecord Record(const std::string& id, uint64_t lab_seed) {
  TrialRecord trial = SampleTrial(id);
  trial.lab_seed = lab_seed;
  return trial;
}

TEST(LabSeedsOf, AreThoseWithWorkInTheirOrder) {
  EXPECT_THAT(LabSeedsOf({}), IsEmpty());
  EXPECT_THAT(LabSeedsOf({Of(5), Of(5), Of(0), Of(3), Of(3)}), ElementsAre(5, 0, 3));
  EXPECT_THAT(LabSeedsOf({Of(std::nullopt), Of(std::nullopt)}), ElementsAre(std::nullopt));
}

TEST(LogOfReplicate, HoldsTheFinishedTrialsOfItsSeed) {
  RunLog log;
  log.manifests = {SampleManifest(), SampleManifest()};
  log.trials = {Record("a", 1), Record("b", 2), Record("c", 1)};
  log.trials.push_back(Record("d", 1));
  log.trials.back().invalid_because = "late";
  const std::string text = LogOfReplicate(log, 1);
  const RunLog part = ParseRunLog(text, "part").value();
  EXPECT_EQ(part.manifests.size(), 1U);
  EXPECT_THAT(part.FinishedIds(), ElementsAre("a", "c"));
  EXPECT_EQ(part.trials.size(), 2U);
}

TEST(LogOfReplicate, IsEmptyForASeedWithoutRecords) {
  RunLog log;
  log.manifests = {SampleManifest()};
  log.trials = {Record("a", 1)};
  EXPECT_EQ(LogOfReplicate(log, 2), "");
  EXPECT_EQ(LogOfReplicate(RunLog(), 0), "");
}

}  // namespace
}  // namespace plectl::experiment
