// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/proc_stat.h"

#include <gtest/gtest.h>

namespace plectl {
namespace {

TEST(ProcStatField, CountsAfterANameThatMayHoldAnything) {
  constexpr std::string_view kStat = "7 (a) b ) (c) S 1 7 -1 9\n";
  EXPECT_EQ(ProcStatField(kStat, 4), 1U);
  EXPECT_EQ(ProcStatField(kStat, 5), 7U);
}

TEST(ProcStatField, IsNothingWhereNoNumberIs) {
  EXPECT_EQ(ProcStatField("7 (a) S 1 -1", 3), std::nullopt);
  EXPECT_EQ(ProcStatField("7 (a) S 1 -1", 5), std::nullopt);
  EXPECT_EQ(ProcStatField("7 (a) S 1 -1", 6), std::nullopt);
  EXPECT_EQ(ProcStatField("7 (a) S 1 -1", 2), std::nullopt);
  EXPECT_EQ(ProcStatField("7 (a", 4), std::nullopt);
  EXPECT_EQ(ProcStatField("", 4), std::nullopt);
}

}  // namespace
}  // namespace plectl
