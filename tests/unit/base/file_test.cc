// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
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
  std::filesystem::create_directory(path);  // no file can take its place
  EXPECT_FALSE(WriteFileAtomically(path, "new"));
  EXPECT_EQ(HostRoot(dir.path()).List("/").value(), std::vector<std::string>{"a"});
}

// In a folder of somebody else, who has put links there in the names that a writer might use.
TEST(File, AtomicWriteFollowsNoLink) {
  const TempDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "precious", "precious"));
  for (const char* name : {"a", "a.tmp", ".a.tmp", "a.new"}) {
    std::filesystem::create_symlink("precious", dir.path() / name);
  }
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "a", "new"));
  EXPECT_EQ(ReadFile(dir.path() / "precious").value(), "precious");
  EXPECT_EQ(ReadFile(dir.path() / "a").value(), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(dir.path() / "a"));
}

TEST(File, ConcurrentAtomicWritesAllSucceed) {
  const TempDir dir;
  std::vector<std::thread> writers;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&dir, &failed, i] {
      const std::string text(10'000, static_cast<char>('0' + i));
      for (int round = 0; round < 20; ++round) {
        if (!WriteFileAtomically(dir.path() / "a", text)) ++failed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failed, 0);
  const std::string text = ReadFile(dir.path() / "a").value();
  EXPECT_EQ(text, std::string(10'000, text.front()));
  EXPECT_EQ(HostRoot(dir.path()).List("/").value(), std::vector<std::string>{"a"});
}

TEST(File, AGivenModeHoldsWhateverTheUmask) {
  const TempDir dir;
  const mode_t before = ::umask(077);
  const Status one = WriteFileAtomically(dir.path() / "a", "x", 0644);
  const Status two = WriteFileAtomically(dir.path() / "b", "x");
  ::umask(before);
  ASSERT_TRUE(one && two);
  struct stat status {};
  ASSERT_EQ(::stat((dir.path() / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  ASSERT_EQ(::stat((dir.path() / "b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

// As root, a rename would put a file in the device's place.
TEST(File, ADeviceIsWrittenToAndStays) {
  EXPECT_TRUE(WriteFileAtomically("/dev/null", "x"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  const Status full = WriteFileAtomically("/dev/full", "x");
  ASSERT_FALSE(full);
  EXPECT_THAT(full.error().message, HasSubstr("/dev/full: write of 1 bytes: No space left"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(File, AStagedFileThatIsNotWantedLeavesNothing) {
  const TempDir dir;
  { EXPECT_TRUE(StagedFile::Create(dir.path() / "a", "x")); }
  EXPECT_TRUE(HostRoot(dir.path()).List("/")->empty());
}

// A folder that may be searched and not read, as /home/* often is.
TEST(File, FoldersAreMadeBelowOneThatCannotBeRead) {
  const TempDir dir;
  std::filesystem::create_directory(dir.path() / "home");
  std::filesystem::create_directory(dir.path() / "home/me");
  ASSERT_EQ(::chmod((dir.path() / "home").c_str(), 0111), 0);
  ASSERT_EQ(::chmod((dir.path() / "home/me").c_str(), 0311), 0);
  const std::filesystem::path deep = dir.path() / "home/me/a/b/";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::chown((dir.path() / "home/me").c_str(), 65534, 65534) != 0)
      ::_exit(2);
    if (::chmod(dir.path().c_str(), 0711) != 0) ::_exit(2);
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const bool done = MakeDirectories(deep) && WriteFileAtomically(deep / "f", "x") &&
                      WriteFileAtomically(dir.path() / "home/me/f", "x");
    ::_exit(done ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ASSERT_EQ(::chmod((dir.path() / "home").c_str(), 0755), 0);
  ASSERT_EQ(::chmod((dir.path() / "home/me").c_str(), 0755), 0);
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

TEST(WriteFileAtomically, AnEmptyPathIsAnErrorAndNoException) {
  EXPECT_FALSE(WriteFileAtomically("", "text"));
}

}  // namespace
}  // namespace plectl
