// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/pause_sites.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plectl::experiment {
namespace {

const guests::CodePlaces& Places() {
  static const guests::CodePlaces places({{0x1000, 0x100, "spin"}}, {0x1004});
  return places;
}

TEST(PauseSites, AddUpOverTheVcpus) {
  const PauseSites sites = SitesOf(
      {{.exits = {{0x1004, 5}}, .other = 2}, {.exits = {{0x1004, 1}, {0x3000, 7}}}}, Places());
  EXPECT_EQ(sites, (PauseSites{.sites = {{0x1004, "spin+0x4", true, 6}, {0x3000, "", false, 7}},
                               .other_exits = 2}));
}

TEST(PauseSites, OfTooManyTheMostFrequentStay) {
  host::PauseRips rips;
  for (uint64_t i = 0; i < kPauseSitesMax + 2; ++i) rips.exits[0x1000 + i] = i < 2 ? 1 : 10;
  const PauseSites sites = SitesOf({rips}, Places());
  ASSERT_EQ(sites.sites.size(), kPauseSitesMax);
  EXPECT_EQ(sites.sites.front().rip, 0x1002U);
  EXPECT_EQ(sites.sites.back().rip, 0x1000 + kPauseSitesMax + 1);
  EXPECT_EQ(sites.other_exits, 2U);
}

TEST(PauseSites, ComeBack) {
  const PauseSites sites = SitesOf({{.exits = {{0x1004, 5}, {0x3000, 1}}, .other = 2}}, Places());
  const nlohmann::json trial = {{"pause_rips", ToJson(sites)}};
  const auto read = PauseSitesFromJson(JsonFields::Of(trial, "trial").value(), "pause_rips");
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(*read, sites);
}

}  // namespace
}  // namespace plectl::experiment
