// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/observer_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ObserverDetails, NamesComeBackInOneOrder) {
  const auto details = ParseDetails("directed_yields,exit_times");
  ASSERT_TRUE(details) << details.error().Text();
  EXPECT_THAT(DetailNames(*details), ElementsAre("exit_times", "directed_yields"));
  EXPECT_TRUE(details->any());
  EXPECT_FALSE(ObserverDetails().any());
}

TEST(ObserverDetails, RefusesWhatItDoesNotKnow) {
  for (const char* const list :
       {"", "exit_times,", "exit_time", "Exit_times", "exit_times, hardware"}) {
    const auto details = ParseDetails(list);
    ASSERT_FALSE(details) << list;
    EXPECT_EQ(details.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(details.error().Text(), HasSubstr("exit_times, pause_rips, directed_yields"));
  }
  EXPECT_THAT(ParseDetails("hardware,hardware").error().Text(), HasSubstr("twice"));
}

}  // namespace
}  // namespace plectl::host
