// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(File, AtomicWriteReplacesAndLeavesNoTemporary) {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a";
  ASSERT_TRUE(WriteFileAtomically(path, "one"));
  ASSERT_TRUE(WriteFileAtomically(path, "two", 0600));
  EXPECT_EQ(ReadFile(path).value(), "two");
  EXPECT_EQ(HostRoot(dir.path()).List("/").value(), std::vector<std::string>{"a"});
}

TEST(File, AtomicWriteKeepsTheOldContentWhenItFails) {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a";
  ASSERT_TRUE(WriteFileAtomically(path, "old"));
  std::filesystem::create_directory(path.string() + ".tmp");  // the temporary cannot be opened
  EXPECT_FALSE(WriteFileAtomically(path, "new"));
  EXPECT_EQ(ReadFile(path).value(), "old");
}

TEST(File, IsReadWholeWhateverItsSize) {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a";
  for (const size_t size : {0U, 1U, 511U, 512U, 513U, 1024U, 1025U, 70000U}) {
    std::string text(size, 'x');
    if (size != 0) text.back() = '$';
    ASSERT_TRUE(WriteFileAtomically(path, text));
    EXPECT_EQ(ReadFile(path).value(), text) << size;
  }
}

TEST(File, ErrorsNameThePath) {
  const Result<std::string> text = ReadFile("/nowhere/at/all");
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("open /nowhere/at/all: No such file"));
}

TEST(File, DurableRemovalOfAnAbsentFileSucceeds) {
  const TempDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "a", "x"));
  EXPECT_TRUE(RemoveFileDurably(dir.path() / "a"));
  EXPECT_TRUE(RemoveFileDurably(dir.path() / "a"));
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "a"));
}

TEST(File, ReadsFilesOfUnknownSize) {
  const Result<std::string> status = ReadFile("/proc/self/status");
  ASSERT_TRUE(status);
  EXPECT_THAT(*status, HasSubstr("Threads:"));
}

TEST(HostRoot, ReadsAndListsUnderItsRoot) {
  const TempDir dir;
  ASSERT_TRUE(MakeDirectories(dir.path() / "sys/module"));
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "sys/module/b", "128 \n"));
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "sys/module/a", "1"));
  const HostRoot root(dir.path());
  EXPECT_EQ(root.ReadTrimmed("/sys/module/b").value(), "128");
  EXPECT_THAT(root.List("/sys/module").value(), ElementsAre("a", "b"));
  EXPECT_TRUE(root.Exists("/sys/module"));
  EXPECT_FALSE(root.Exists("/proc"));
  EXPECT_FALSE(root.List("/proc"));
  EXPECT_FALSE(root.is_real());
}

}  // namespace
}  // namespace plectl
