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

TEST(LabSeedsOf, AreThoseWithWorkInTheirOrder) {
  EXPECT_THAT(LabSeedsOf({}), IsEmpty());
  EXPECT_THAT(LabSeedsOf({Of(5), Of(5), Of(0), Of(3), Of(3)}), ElementsAre(5, 0, 3));
  EXPECT_THAT(LabSeedsOf({Of(std::nullopt), Of(std::nullopt)}), ElementsAre(std::nullopt));
}

TEST(LogOfReplicate, HoldsTheFinishedTrialsOfItsSeed) {
  RemainingWork work;
  work.manifests = {SampleManifest(), SampleManifest()};
  work.finished_ids[1] = {"a", "c"};
  work.finished_ids[2] = {"b"};
  const std::string text = LogOfReplicate(work, 1);
  const RunLog part = ParseRunLog(text, "part").value();
  EXPECT_EQ(part.manifests.size(), 1U);
  EXPECT_THAT(part.FinishedIds(), ElementsAre("a", "c"));
  EXPECT_EQ(part.trials.size(), 2U);
  EXPECT_EQ(part.trials[0].lab_seed, 1U);
}

TEST(LogOfReplicate, IsOfTheWholeRunWithoutSeeds) {
  RemainingWork work;
  work.manifests = {SampleManifest()};
  work.finished_ids[std::nullopt] = {"a"};
  EXPECT_THAT(ParseRunLog(LogOfReplicate(work, std::nullopt), "part")->FinishedIds(),
              ElementsAre("a"));
}

TEST(LogOfReplicate, IsEmptyForASeedWithoutRecords) {
  RemainingWork work;
  work.manifests = {SampleManifest()};
  work.finished_ids[1] = {"a"};
  EXPECT_EQ(LogOfReplicate(work, 2), "");
  EXPECT_EQ(LogOfReplicate(RemainingWork(), 0), "");
}

}  // namespace
}  // namespace plectl::experiment
