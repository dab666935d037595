// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/given_file.h"

#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl {
namespace {

TEST(ReadGivenFile, ReadsTheWholeFile) {
  const TempDir dir;
  const std::string text(200'000, 'x');
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "a", text));
  EXPECT_EQ(ReadGivenFile(dir.path() / "a", text.size(), "").value(), text);
  EXPECT_EQ(ReadGivenFile("/dev/null", 1, "").value(), "");
}

TEST(ReadGivenFile, ReadsNoMoreThanItMay) {
  const Result<std::string> text = ReadGivenFile("/dev/zero", 1000, "give a plan");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(text.error().message, "/dev/zero: more than 1000 bytes");
  EXPECT_EQ(text.error().hint, "give a plan");
}

TEST(ReadGivenFile, WhatIsNoFileIsBadInput) {
  const TempDir dir;
  for (const auto& path : {dir.path(), dir.path() / "none"}) {
    const Result<std::string> text = ReadGivenFile(path, 1000, "give a plan");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(text.error().hint, "give a plan");
  }
}

}  // namespace
}  // namespace plectl
