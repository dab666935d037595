// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace plectl {
namespace {

using ::testing::ElementsAre;

TEST(Text, Trims) {
  EXPECT_EQ(Trim(" \t a b \n"), "a b");
  EXPECT_EQ(TrimRight(" a \n"), " a");
  EXPECT_EQ(Trim(" \n"), "");
}

TEST(Text, SplitKeepsEmptyFields) {
  EXPECT_THAT(Split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split(",", ','), ElementsAre("", ""));
}

TEST(Text, ParseUintTakesWholeNumbersOnly) {
  EXPECT_EQ(ParseUint("0"), 0U);
  EXPECT_EQ(ParseUint("18446744073709551615"), 18446744073709551615U);
  for (const char* bad : {"", " 1", "1 ", "-1", "+1", "0x10", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(ParseUint(bad), std::nullopt) << bad;
  }
}

TEST(Text, SuggestsNearWordsOnly) {
  const std::array<std::string_view, 3> known = {"ple_gap", "ple_window", "ple_window_grow"};
  EXPECT_EQ(Suggest("ple_gab", known), "ple_gap");
  EXPECT_EQ(Suggest("plewindow", known), "ple_window");
  EXPECT_EQ(Suggest("PLE_GAP", known), "ple_gap");
  EXPECT_EQ(Suggest("nested", known), std::nullopt);
  EXPECT_EQ(SuggestionText("ple_windwo", known), ", did you mean \"ple_window\"?");
  EXPECT_EQ(SuggestionText("nested", known), "");
  EXPECT_EQ(Suggest("x", {}), std::nullopt);
}

TEST(ChosenOf, IsTheMarkedOne) {
  EXPECT_EQ(ChosenOf("none voluntary (full) lazy"), "full");
  EXPECT_EQ(ChosenOf("up smp [concur] max"), "concur");
  EXPECT_EQ(ChosenOf("full"), "full");
  EXPECT_EQ(ChosenOf(""), "");
}

TEST(LineAfter, IsOfTheFirstLineThatBeginsSo) {
  constexpr std::string_view kText = "Name:\tb: 1\nb: \t2 kB \nb: 3\n";
  EXPECT_EQ(LineAfter(kText, "b:"), "2 kB");
  EXPECT_EQ(LineAfter("b:", "b:"), "");
  EXPECT_EQ(LineAfter(kText, "c:"), std::nullopt);
  EXPECT_EQ(LineAfter("", "b:"), std::nullopt);
}

}  // namespace
}  // namespace plectl
