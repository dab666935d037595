// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/escape.h"

#include <gtest/gtest.h>

namespace plectl::metrics {
namespace {

TEST(Escape, KeepsWhatNeedsNothing) {
  EXPECT_EQ(EscapeValue("a {b}=c, d"), "a {b}=c, d");
  EXPECT_EQ(EscapeHelp(""), "");
}

TEST(Escape, QuotesAreSpecialInValuesOnly) {
  EXPECT_EQ(EscapeValue("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(EscapeHelp("a\"b\\c\nd"), "a\"b\\\\c\\nd");
}

TEST(Escape, KeepsUtf8) {
  for (const char* text : {"\x7F", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text));
    EXPECT_EQ(ToUtf8(text), text);
  }
}

TEST(Escape, ReplacesEachByteThatIsNoUtf8) {
  struct Case {
    const char* text;
    size_t replaced;
  };
  // Cut short, overlong, a surrogate, above U+10FFFF, a lone continuation.
  for (const Case& c : {Case{"\xC3", 1},
                        {"\xE2\x82", 2},
                        {"\xC0\xAF", 2},
                        {"\xE0\x80\xAF", 3},
                        {"\xED\xA0\x80", 3},
                        {"\xF4\x90\x80\x80", 4},
                        {"\x80", 1},
                        {"\xFF", 1}}) {
    std::string expected = "x";
    for (size_t i = 0; i < c.replaced; ++i) expected += "\xEF\xBF\xBD";
    EXPECT_FALSE(IsUtf8(c.text));
    EXPECT_EQ(ToUtf8(std::string("x") + c.text + "y"), expected + "y");
    EXPECT_EQ(EscapeValue(std::string("x") + c.text + "y"), expected + "y");
  }
}

}  // namespace
}  // namespace plectl::metrics
