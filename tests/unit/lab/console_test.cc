// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace plectl::lab {
namespace {

TEST(Printable, LeavesNoControlCharacters) {
  EXPECT_EQ(Printable("a\tb ~"), "a\tb ~");
  EXPECT_EQ(Printable("\x1b[2J\a\r\x7f\x80\xff"), "?[2J?????");
  EXPECT_EQ(Printable(std::string_view("\0x", 2)), "?x");
}

TEST(Console, KeepsTheLastLines) {
  Console console;
  for (int i = 0; i < 100; ++i) console.Feed("line " + std::to_string(i) + "\r\n");
  const std::string tail = console.Tail();
  EXPECT_THAT(tail, testing::StartsWith("  line 80\n"));
  EXPECT_THAT(tail, testing::EndsWith("  line 99\n"));
}

TEST(Console, AnUnfinishedLineIsShownToo) {
  Console console;
  console.Feed("one\ntw");
  EXPECT_EQ(console.Tail(), "  one\n  tw\n");
}

TEST(Console, AnEmptyOneHasNoTail) { EXPECT_EQ(Console().Tail(), ""); }

TEST(Console, CutsEndlessLines) {
  Console console;
  for (int i = 0; i < 1000; ++i) console.Feed(std::string(1000, 'x'));
  EXPECT_LT(console.Tail().size(), Console::kLineSizeMax + 10);
}

TEST(Console, ShowsNoControlCharacters) {
  Console console;
  console.Feed("\x1b]0;owned\a\nrest\x1b");
  EXPECT_EQ(console.Tail(), "  ?]0;owned?\n  rest?\n");
}

TEST(Console, NoticesAPanic) {
  Console console;
  console.Feed("[    1.0] Kernel pan");
  EXPECT_FALSE(console.panicked());
  console.Feed("ic - not syncing: Attempted to kill init!\n");
  EXPECT_TRUE(console.panicked());
  console.Feed("more\n");
  EXPECT_TRUE(console.panicked());
}

TEST(Console, KeepsThePanicAboveALongCallTrace) {
  Console console;
  for (int i = 0; i < 100; ++i) console.Feed("before " + std::to_string(i) + "\n");
  console.Feed("Kernel panic - not syncing: sysrq triggered crash\n");
  for (int i = 0; i < 1000; ++i) console.Feed("trace " + std::to_string(i) + "\n");
  const std::string tail = console.Tail();
  EXPECT_THAT(tail, testing::HasSubstr("Kernel panic - not syncing: sysrq"));
  EXPECT_THAT(tail, testing::HasSubstr("trace 50\n"));
  EXPECT_THAT(tail, testing::Not(testing::HasSubstr("before 50\n")));
  EXPECT_LE(std::count(tail.begin(), tail.end(), '\n'), std::ptrdiff_t{Console::kPanicLinesMax});
}

TEST(Console, NoPanicWithoutPanic) {
  Console console;
  console.Feed("panic=-1 kernel: no panic here\n");
  EXPECT_FALSE(console.panicked());
}

TEST(Console, ReportsEachLineOnce) {
  Console console;
  std::vector<std::string> lines;
  console.set_on_line([&](std::string_view line) { lines.emplace_back(line); });
  console.Feed("a\nb\x1b\nc");
  EXPECT_THAT(lines, testing::ElementsAre("a", "b?"));
}

}  // namespace
}  // namespace plectl::lab
