// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/progress.h"

#include <gtest/gtest.h>

#include "host_tools/cli/session_costs.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::cli {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

TEST(Eta, BeginsWithTheEstimateAndEndsWithWhatIsSeen) {
  EXPECT_EQ(EtaNs(0, 0, 48, 48 * kSecondNs), 48 * kSecondNs);
  // A first trial of half a minute among short ones: not 24 minutes more.
  EXPECT_LT(EtaNs(32 * kSecondNs, 1, 47, 48 * kSecondNs), 8 * 60 * kSecondNs);
  // After many, their pace.
  EXPECT_NEAR(static_cast<double>(EtaNs(1000 * kSecondNs, 1000, 1000, 100'000 * kSecondNs)),
              1000.0 * kSecondNs, 150.0 * kSecondNs);
}

TEST(Eta, WithoutAnEstimateIsThePaceSoFar) {
  EXPECT_EQ(EtaNs(10 * kSecondNs, 5, 5, 0), 10 * kSecondNs);
  EXPECT_EQ(EtaNs(10 * kSecondNs, 0, 5, 0), 0);
  EXPECT_EQ(EtaNs(10 * kSecondNs, 0, 0, 0), 0);
}

class Silent : public experiment::SweepProgress {
 public:
  void OnStart(size_t /*finished*/, size_t /*total*/) override {}
  void OnRecord(const experiment::TrialRecord& /*record*/) override {}
};

TEST(SessionCosts, NamesStartUpAndTrialsApart) {
  Silent silent;
  SessionCosts costs(silent);
  costs.OnStart(0, 1);
  costs.OnManifest(experiment::SampleManifest());
  costs.OnRecord(experiment::SampleTrial("a"));
  EXPECT_TRUE(costs.Text().starts_with("1 trials in 0 s after a start-up of 0 s")) << costs.Text();
}

}  // namespace
}  // namespace plectl::cli
