// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/follower.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <string_view>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void Append(const std::filesystem::path& path, std::string_view text) {
  const auto file = OpenFile(path, O_WRONLY | O_APPEND | O_CREAT);
  ASSERT_TRUE(file);
  ASSERT_TRUE(WriteAll(file->get(), text));
}

bool IsReadable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1;
}

class FollowerTest : public testing::Test {
 protected:
  FileFollower Follow() {
    auto follower = FileFollower::Start(file_);
    EXPECT_TRUE(follower) << follower.error().Text();
    return *std::move(follower);
  }
  TempDir directory_;
  std::filesystem::path file_ = directory_.path() / "deep/run.jsonl";
};

TEST_F(FollowerTest, AFileThatComesLater) {
  FileFollower follower = Follow();
  EXPECT_FALSE(IsReadable(follower.fd()));
  EXPECT_THAT(*follower.NewLines(), IsEmpty());
  Append(file_, "one\ntwo\n");
  EXPECT_TRUE(IsReadable(follower.fd()));
  EXPECT_THAT(*follower.NewLines(), ElementsAre("one", "two"));
  EXPECT_FALSE(IsReadable(follower.fd()));
}

TEST_F(FollowerTest, OldLinesAreSkipped) {
  ASSERT_TRUE(MakeDirectories(file_.parent_path()));
  Append(file_, "old\n");
  FileFollower follower = Follow();
  Append(file_, "new\n");
  EXPECT_THAT(*follower.NewLines(), ElementsAre("new"));
}

TEST_F(FollowerTest, AnUnfinishedLineWaits) {
  FileFollower follower = Follow();
  Append(file_, "one\ntw");
  EXPECT_THAT(*follower.NewLines(), ElementsAre("one"));
  Append(file_, "o\n\n");
  EXPECT_THAT(*follower.NewLines(), ElementsAre("two", ""));
}

TEST_F(FollowerTest, ATornOldLineMayBeCutOff) {
  ASSERT_TRUE(MakeDirectories(file_.parent_path()));
  Append(file_, "old\ntorn");
  FileFollower follower = Follow();
  std::filesystem::resize_file(file_, 4);
  Append(file_, "new\n");
  EXPECT_THAT(*follower.NewLines(), ElementsAre("new"));
}

TEST_F(FollowerTest, AFileThatLosesSentLinesIsAnError) {
  FileFollower follower = Follow();
  Append(file_, "one\n");
  EXPECT_THAT(*follower.NewLines(), ElementsAre("one"));
  std::filesystem::resize_file(file_, 1);
  const auto lines = follower.NewLines();
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().kind, ErrorKind::kInconclusive);
}

TEST_F(FollowerTest, ARemovedFileIsAnError) {
  FileFollower follower = Follow();
  Append(file_, "one\n");
  EXPECT_TRUE(follower.NewLines());
  std::filesystem::remove(file_);
  EXPECT_FALSE(follower.NewLines());
}

TEST_F(FollowerTest, LongContentComesWhole) {
  FileFollower follower = Follow();
  const std::string line(300'000, 'x');
  Append(file_, line + "\n" + line + "\n");
  EXPECT_THAT(*follower.NewLines(), ElementsAre(line, line));
}

}  // namespace
}  // namespace plectl::lab
