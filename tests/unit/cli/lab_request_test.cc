// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::cli {
namespace {

// Nothing of it is a default.
SweepRequest FullSweepRequest() {
  SweepRequest request;
  request.attempts_max = 7;
  request.disturbed_repeats_max = 9;
  request.wait = std::chrono::seconds(60);
  request.payload_elf = "/job/payload.elf";
  request.relax_tsc_cycles = 77;
  request.observers.choice = host::ObserverChoice::kPauseOnly;
  request.observers.check = host::CheckTrials::kEvery;
  request.observers.details = *host::ParseDetails("exit_times,pause_rips");
  request.observers.check_drops_every_nth = 5;
  request.only_lab_seed = 3;
  return request;
}

TEST(SweepRequest, EveryOptionReachesTheLab) {
  const std::string text = ToJson(FullSweepRequest());
  const auto request = SweepRequestFromJson(text);
  ASSERT_TRUE(request) << request.error().Text();
  EXPECT_EQ(request->attempts_max, 7U);
  EXPECT_EQ(request->disturbed_repeats_max, 9U);
  EXPECT_EQ(request->wait.count(), 60);
  EXPECT_EQ(request->payload_elf, "/job/payload.elf");
  EXPECT_EQ(request->relax_tsc_cycles, 77U);
  EXPECT_EQ(request->observers.choice, host::ObserverChoice::kPauseOnly);
  EXPECT_EQ(request->observers.check, host::CheckTrials::kEvery);
  EXPECT_EQ(host::DetailNames(request->observers.details),
            (std::vector<std::string>{"exit_times", "pause_rips"}));
  EXPECT_EQ(request->observers.check_drops_every_nth, 5U);
  EXPECT_EQ(request->only_lab_seed, 3U);
  EXPECT_EQ(ToJson(*request), text);
}

TEST(SweepRequest, SoDoTheDefaults) {
  const auto request = SweepRequestFromJson(ToJson(SweepRequest()));
  ASSERT_TRUE(request);
  EXPECT_TRUE(host::IsAutomatic(request->observers));
  EXPECT_EQ(request->only_lab_seed, std::nullopt);
  EXPECT_EQ(ToJson(*request), ToJson(SweepRequest()));
}

TEST(SweepRequest, EveryObserverHasAName) {
  using enum host::ObserverChoice;
  for (const host::ObserverChoice choice : {kAuto, kBpf, kPerf, kPauseOnly, kNone}) {
    SweepRequest request;
    request.observers.choice = choice;
    EXPECT_EQ(SweepRequestFromJson(ToJson(request))->observers.choice, choice);
  }
}

TEST(SweepRequest, WhatIsNoneIsRefused) {
  EXPECT_FALSE(SweepRequestFromJson(""));
  EXPECT_FALSE(SweepRequestFromJson("{}"));
  EXPECT_FALSE(SweepRequestFromJson("[1]"));
  std::string text = ToJson(FullSweepRequest());
  text.replace(text.find("pause-only"), 10, "pause-many");
  EXPECT_FALSE(SweepRequestFromJson(text));
}

// Nothing of it is a default.
MeasureRequest FullMeasureRequest() {
  return {.cpu = 3, .format = "json", .relax_tsc_cycles = 99, .wait = std::chrono::seconds(11)};
}

void ExpectFull(const MeasureRequest& request) {
  EXPECT_EQ(request.cpu, 3);
  EXPECT_EQ(request.format, "json");
  EXPECT_EQ(request.relax_tsc_cycles, 99U);
  EXPECT_EQ(request.wait.count(), 11);
}

TEST(CalibrateRequest, EveryOptionReachesTheLab) {
  const CalibrateRequest full{
      .measure = FullMeasureRequest(), .keep_params = true, .bodies = {7, 8}};
  const auto request = CalibrateRequestFromJson(ToJson(full));
  ASSERT_TRUE(request) << request.error().Text();
  ExpectFull(request->measure);
  EXPECT_TRUE(request->keep_params);
  EXPECT_THAT(request->bodies, testing::ElementsAre(7, 8));
  EXPECT_FALSE(CalibrateRequestFromJson("{}"));
}

TEST(SelftestRequest, EveryOptionReachesTheLab) {
  const SelftestRequest full{.measure = FullMeasureRequest(), .deadline = std::chrono::seconds(5)};
  const auto request = SelftestRequestFromJson(ToJson(full));
  ASSERT_TRUE(request) << request.error().Text();
  ExpectFull(request->measure);
  EXPECT_EQ(request->deadline.count(), 5);
  EXPECT_FALSE(SelftestRequestFromJson("{}"));
}

}  // namespace
}  // namespace plectl::cli
