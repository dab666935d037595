// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_text.h"

#include <gtest/gtest.h>

namespace plectl::host {
namespace {

TEST(NoiseText, TakesLinesAndWords) {
  std::string_view text = "a  b\n\n\tc";
  std::string_view line = NextLine(text);
  EXPECT_EQ(NextWord(line), "a");
  EXPECT_EQ(NextWord(line), "b");
  EXPECT_EQ(NextWord(line), "");
  EXPECT_EQ(NextLine(text), "");
  line = NextLine(text);
  EXPECT_EQ(NextWord(line), "c");
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(NextLine(text), "");
}

TEST(NoiseText, ASumOfNothingOrOfGarbageIsMissing) {
  CountSum sum;
  EXPECT_EQ(sum.Get("x"), Count::Missing("there is no x"));
  sum.Add("3");
  sum.Add(uint64_t{4});
  EXPECT_EQ(sum.Get("x"), Count(7));
  CountSum outer;
  outer.Add(sum);
  EXPECT_EQ(outer.Get("x"), Count(7));
  sum.Add("-1");
  EXPECT_EQ(sum.Get("x"), Count::Missing("no number in x"));
  outer.Add(sum);
  EXPECT_FALSE(outer.value());
}

TEST(NoiseText, ASumThatOverflowsIsMissing) {
  CountSum sum;
  sum.Add(UINT64_MAX);
  EXPECT_EQ(sum.Get("x"), Count(UINT64_MAX));
  sum.Add("1");
  EXPECT_FALSE(sum.Get("x").has_value());
}

}  // namespace
}  // namespace plectl::host
