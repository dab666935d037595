// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plain_text.h"

#include <gtest/gtest.h>

namespace plectl::experiment {
namespace {

TEST(PlainText, AcceptsTextFiles) {
  EXPECT_FALSE(FindTextFlaw(""));
  EXPECT_FALSE(FindTextFlaw("a: b\r\n\tc\n"));
  EXPECT_FALSE(FindTextFlaw("\xc2\xb5s \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf"));
}

TEST(PlainText, NamesTheFirstBadByte) {
  const auto flaw = FindTextFlaw(std::string_view("ab\ncd\0e", 7));
  ASSERT_TRUE(flaw);
  EXPECT_EQ(flaw->line, 2);
  EXPECT_EQ(flaw->column, 3);
  EXPECT_EQ(flaw->what, "the byte 0x00 is a control character");
}

TEST(PlainText, RefusesWhatIsNotUtf8) {
  for (const std::string_view bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xc2", "\xe2\x82z", "\xc2z"}) {
    const auto flaw = FindTextFlaw(bad);
    ASSERT_TRUE(flaw) << bad;
    EXPECT_EQ(flaw->column, 1);
    EXPECT_TRUE(flaw->what.ends_with("not UTF-8")) << flaw->what;
  }
}

TEST(PlainText, KnowsUtf16) {
  EXPECT_TRUE(LooksLikeUtf16("\xff\xfen"));
  EXPECT_TRUE(LooksLikeUtf16("\xfe\xff"));
  EXPECT_TRUE(LooksLikeUtf16(std::string_view("n\0a\0", 4)));
  EXPECT_TRUE(LooksLikeUtf16(std::string_view("\0n\0a", 4)));
  EXPECT_FALSE(LooksLikeUtf16("name"));
  EXPECT_FALSE(LooksLikeUtf16(std::string_view("\0\0\0\0", 4)));
  EXPECT_FALSE(LooksLikeUtf16(""));
}

TEST(PlainText, RefusesControlCharacters) {
  // yaml-cpp takes 0x04 for the end of the file and would ignore the rest.
  for (const std::string_view bad : {"\x04", "\x1b[2J", "\x7f", "\v"}) {
    EXPECT_TRUE(FindTextFlaw(bad));
  }
}

}  // namespace
}  // namespace plectl::experiment
