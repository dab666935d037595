// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/janitor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "host_tools/base/file.h"
#include "host_tools/lab/files.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

void Fill(const fs::path& directory) {
  ASSERT_TRUE(MakeDirectories(directory / "deep/deeper"));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(WriteFileAtomically(directory / "deep" / std::to_string(i), "x"));
  }
  fs::create_symlink("/etc", directory / "deep/link");  // must not be followed
}

TEST(Janitor, RemovesTheTreeWithItsObject) {
  const TempDir directory;
  const fs::path run = directory.path() / "run";
  Fill(run);
  { ASSERT_TRUE(Janitor::Start(run)); }
  EXPECT_FALSE(fs::exists(run));
  EXPECT_TRUE(fs::exists("/etc"));
}

TEST(Janitor, RemovesTheTreeOfAKilledProcess) {
  const TempDir directory;
  const fs::path runs = directory.path() / "runs";
  const pid_t victim = ::fork();
  if (victim == 0) {
    const auto scratch = ScratchDirectory::Create(runs);
    if (scratch) ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(victim, &status, 0), victim);
  ASSERT_TRUE(WIFSIGNALED(status));
  for (int i = 0; i < 200 && !fs::is_empty(runs); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(fs::is_empty(runs));
}

// Also between the directory's creation and its janitor's, and with all of the process's group.
TEST(Janitor, LeavesNothingWhenTheProcessIsKilledAtAnyMoment) {
  const TempDir directory;
  constexpr int kVictims = 200;
  const auto runs = [&](int i) { return directory.path() / std::to_string(i); };
  for (int i = 0; i < kVictims; ++i) {
    fs::create_directory(runs(i));
    const pid_t victim = ::fork();
    if (victim == 0) {
      ::setsid();
      const auto scratch = ScratchDirectory::Create(runs(i));
      ::pause();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(10 * i));
    if (::kill(-victim, SIGKILL) != 0) ::kill(victim, SIGKILL);  // has no group yet
    ASSERT_EQ(::waitpid(victim, nullptr, 0), victim);
  }
  for (int i = 0; i < kVictims; ++i) {
    for (int wait = 0; wait < 200 && !fs::is_empty(runs(i)); ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(fs::is_empty(runs(i))) << i;
  }
}

}  // namespace
}  // namespace plectl::lab
