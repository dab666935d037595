// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

TEST(CopyInto, CreatesDirectoriesAndKeepsTheMode) {
  const TempDir directory;
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "tool", "x", 0755));
  ASSERT_TRUE(CopyInto(directory.path() / "tool", directory.path() / "a/b/tool"));
  EXPECT_EQ(*ReadFile(directory.path() / "a/b/tool"), "x");
  EXPECT_NE(fs::status(directory.path() / "a/b/tool").permissions() & fs::perms::owner_exec,
            fs::perms::none);
}

TEST(CopyInto, NamesTheMissingFile) {
  const TempDir directory;
  const Status status = CopyInto(directory.path() / "none", directory.path() / "copy");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, testing::HasSubstr("none: No such file"));
}

TEST(MoveInto, ReplacesADirectory) {
  const TempDir directory;
  const fs::path from = directory.path() / "new";
  const fs::path to = directory.path() / "deep/place";
  ASSERT_TRUE(MakeDirectories(from));
  ASSERT_TRUE(MakeDirectories(to));
  ASSERT_TRUE(WriteFileAtomically(from / "new-file", ""));
  ASSERT_TRUE(WriteFileAtomically(to / "old-file", ""));
  ASSERT_TRUE(MoveInto(from, to));
  EXPECT_TRUE(fs::exists(to / "new-file"));
  EXPECT_FALSE(fs::exists(to / "old-file"));
  EXPECT_FALSE(fs::exists(from));
}

TEST(CheckOwnDirectory, IsFineWhenOursOrNotThere) {
  const TempDir directory;
  EXPECT_TRUE(CheckOwnDirectory(directory.path()));
  EXPECT_TRUE(CheckOwnDirectory(directory.path() / "none"));
}

// Root would resume another user's configuration of the emulator.
TEST(CheckOwnDirectory, OfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const TempDir directory;
  ASSERT_EQ(::chown(directory.path().c_str(), 65534, 65534), 0);
  const Status status = CheckOwnDirectory(directory.path());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(status.error().message, testing::HasSubstr("is user 65534's, and this is user 0"));
  EXPECT_THAT(status.error().hint, testing::HasSubstr("--lab-dir"));
}

TEST(CheckOwnDirectory, ThatOthersMayChangeIsRefused) {
  const TempDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  const Status status = CheckOwnDirectory(directory.path());
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, testing::HasSubstr("others may write into"));
  ASSERT_EQ(::chmod(directory.path().c_str(), 0700), 0);
  EXPECT_TRUE(CheckOwnDirectory(directory.path()));
}

TEST(LockFile, ExcludesOthersWhileHeld) {
  const TempDir directory;
  const fs::path file = directory.path() / "deep/lock";
  std::optional<Fd> lock = *LockFile(file);
  const auto other = OpenFile(file, O_RDWR);
  ASSERT_TRUE(other);
  EXPECT_EQ(::flock(other->get(), LOCK_EX | LOCK_NB), -1);
  EXPECT_EQ(errno, EWOULDBLOCK);
  lock.reset();
  EXPECT_EQ(::flock(other->get(), LOCK_EX | LOCK_NB), 0);
}

TEST(ScratchDirectory, IsRemovedWithItsContent) {
  const TempDir directory;
  fs::path path;
  {
    const auto scratch = ScratchDirectory::Create(directory.path() / "runs");
    ASSERT_TRUE(scratch) << scratch.error().Text();
    path = scratch->path();
    ASSERT_TRUE(WriteFileAtomically(path / "file", "x"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(ScratchDirectory, TheNextOneRemovesWhatAKilledProcessLeft) {
  const TempDir directory;
  const fs::path abandoned = directory.path() / "runs/killed";
  ASSERT_TRUE(MakeDirectories(abandoned));
  ASSERT_TRUE(WriteFileAtomically(abandoned / "lab.iso", "x"));
  ASSERT_TRUE(ScratchDirectory::Create(directory.path() / "runs"));
  EXPECT_FALSE(fs::exists(abandoned));
}

TEST(ScratchDirectory, LeavesTheOnesInUse) {
  const TempDir directory;
  const auto first = ScratchDirectory::Create(directory.path() / "runs");
  const auto second = ScratchDirectory::Create(directory.path() / "runs");
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_NE(first->path(), second->path());
  EXPECT_TRUE(fs::exists(first->path()));
  EXPECT_TRUE(fs::exists(second->path()));
}

TEST(ScratchDirectory, MovesWithItsOwner) {
  const TempDir directory;
  auto created = ScratchDirectory::Create(directory.path() / "runs");
  ASSERT_TRUE(created);
  const fs::path path = created->path();
  std::optional<ScratchDirectory> owner(*std::move(created));
  EXPECT_TRUE(fs::exists(path));
  owner.reset();
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace plectl::lab
