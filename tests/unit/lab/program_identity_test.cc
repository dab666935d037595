// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/program_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(ProgramIdentity, IsTheSameTextTwice) { EXPECT_EQ(ProgramIdentity(), ProgramIdentity()); }

TEST(ProgramIdentity, NamesThisProgramAndItsLibraries) {
  const std::string text = ProgramIdentity();
  EXPECT_THAT(text, ContainsRegex("/proc/self/exe ([0-9a-f]{16,}|[0-9]+ bytes of )"));
  EXPECT_THAT(text, ContainsRegex("/libc\\.so\\.6 ([0-9a-f]{16,}|[0-9]+ bytes of )"));
  EXPECT_THAT(text, Not(HasSubstr("unknown")));
  EXPECT_THAT(text, Not(HasSubstr("vdso")));
}

}  // namespace
}  // namespace plectl::lab
