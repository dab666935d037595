// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/text_table.h"

#include <gtest/gtest.h>

namespace plectl::output {
namespace {

TEST(TextTable, AlignsAndLeavesNoTrailingSpaces) {
  const TextTable table{{{"name", false}, {"n", true}, {"note", false}},
                        {{"a", "1", ""}, {"longer", "1,000", "x"}}};
  EXPECT_EQ(table.Text(),
            "name        n  note\n"
            "------  -----  ----\n"
            "a           1\n"
            "longer  1,000  x\n");
}

TEST(TextTable, WithoutRowsIsItsHead) {
  const TextTable table{{{"name", false}}, {}};
  EXPECT_EQ(table.Text(), "name\n----\n");
}

TEST(TextTable, NarrowTitlesTakeSeveralLines) {
  const TextTable table{
      {{"ple_window_grow", true}, {"p99 wait (TSC cycles)", true}, {"arm", false}},
      {{"2", "1,593,472", "pause"}}};
  EXPECT_EQ(table.NarrowText(),
            "              p99 wait\n"
            "ple_window_       (TSC\n"
            "       grow    cycles)  arm\n"
            "-----------  ---------  -----\n"
            "          2  1,593,472  pause\n");
  EXPECT_EQ(table.Width(), 45U);
}

TEST(ReadableNumber, WholeNumbersHaveThousands) {
  EXPECT_EQ(ReadableNumber(0), "0");
  EXPECT_EQ(ReadableNumber(999), "999");
  EXPECT_EQ(ReadableNumber(1000), "1,000");
  EXPECT_EQ(ReadableNumber(-1234567), "-1,234,567");
  EXPECT_EQ(ReadableNumber(1234.6), "1,235");
  EXPECT_EQ(ReadableNumber(18446744073709551615.0), "18,446,744,073,709,551,616");
  EXPECT_EQ(ReadableNumber(1e300), "1e+300");
}

TEST(ReadableNumber, SmallOnesHaveThreeDigits) {
  EXPECT_EQ(ReadableNumber(0.25481), "0.255");
  EXPECT_EQ(ReadableNumber(0.01234), "0.0123");
  EXPECT_EQ(ReadableNumber(12.345), "12.3");
  EXPECT_EQ(ReadableNumber(999.5), "1000");
}

}  // namespace
}  // namespace plectl::output
