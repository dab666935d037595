// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/host_root.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/required_files.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uint64_t kCylinderBytes = uint64_t{16} * 63 * 512;

class DiskTest : public testing::Test {
 protected:
  // Bytes that must be refused, and stay.
  void ExpectRefused(const std::string& content, std::string_view why) {
    ASSERT_TRUE(WriteFileAtomically(file_, content));
    for (const auto& status : {CheckDisk(file_), AsStatus(Disk::Open(file_))}) {
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
      EXPECT_THAT(status.error().message, HasSubstr(why));
      EXPECT_THAT(status.error().message, HasSubstr(file_.string()));
      EXPECT_THAT(status.error().hint, HasSubstr("--lab-disk"));
    }
    EXPECT_EQ(ReadFile(file_).value(), content);
  }
  static Status AsStatus(const Result<Disk>& disk) {
    return disk ? OkStatus() : Fail(disk.error());
  }
  // The bytes of a disk as far as they are looked at.
  static std::string Image(std::string_view label, uint64_t size = kCylinderBytes) {
    std::string image(size, '\0');
    image.replace(1024 + 48, 4, std::string("\x01\x02\x00\x70", 4));
    image.replace(1024 + 56, 2, "\x53\xef");
    image.replace(1024 + 120, label.size(), label);
    return image;
  }

  const TempDir directory_;
  const fs::path file_ = directory_.path() / "lab.disk";
};

TEST_F(DiskTest, IsMadeWhereNoneIs) {
  if (!FindProgram(HostRoot(), "mkfs.ext4")) GTEST_SKIP() << "install e2fsprogs";
  EXPECT_TRUE(CheckDisk(file_));
  EXPECT_FALSE(fs::exists(file_));
  {
    const auto disk = Disk::Open(file_);
    ASSERT_TRUE(disk) << disk.error().Text();
    EXPECT_EQ(disk->facts().cylinders, 130U);
    EXPECT_EQ(disk->facts().written_at_s, 1'700'000'000U);
  }
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(static_cast<uint64_t>(status.st_size), 130 * kCylinderBytes);
  EXPECT_LT(status.st_blocks * 512, status.st_size / 4) << "not sparse";
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path()), {}), 1) << "leftovers";
  EXPECT_TRUE(Disk::Open(file_));
}

TEST_F(DiskTest, IsTheSameEachTimeItIsMade) {
  if (!FindProgram(HostRoot(), "mkfs.ext4")) GTEST_SKIP() << "install e2fsprogs";
  const fs::path other = directory_.path() / "other, = \"name\"";
  ASSERT_TRUE(Disk::Open(file_));
  ASSERT_TRUE(Disk::Open(other));
  EXPECT_TRUE(ReadFile(file_).value() == ReadFile(other).value());
}

TEST_F(DiskTest, NothingElseIsTakenForOneOrOverwritten) {
  ExpectRefused("", "no file system that plectl made");
  ExpectRefused("tiny", "no file system that plectl made");
  ExpectRefused(std::string(kCylinderBytes, 'x'), "no file system that plectl made");
  ExpectRefused(Image("root"), "no file system that plectl made");
  ExpectRefused(Image("plectl-lab-2"), "no file system that plectl made");
  ExpectRefused(Image("plectl-lab", kCylinderBytes + 512), "size of 516608 bytes");
}

TEST_F(DiskTest, ADirectoryIsNone) {
  const auto disk = Disk::Open(directory_.path());
  ASSERT_FALSE(disk);
  EXPECT_EQ(disk.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(disk.error().message, HasSubstr("it is a directory"));
}

TEST_F(DiskTest, AFifoIsNoneAndIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  const Status status = CheckDisk(file_);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("no regular file"));
}

TEST_F(DiskTest, WhatCannotBeOpenedIsNamed) {
  ASSERT_TRUE(WriteFileAtomically(file_, Image("plectl-lab"), 0));
  if (::access(file_.c_str(), R_OK) == 0) GTEST_SKIP() << "root reads everything";
  const Status status = CheckDisk(file_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(status.error().message, HasSubstr("Permission denied"));
}

TEST_F(DiskTest, NeedsADirectoryToBeMadeIn) {
  const Status status = CheckDisk(directory_.path() / "no/lab.disk");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(status.error().message, HasSubstr("there is no directory"));
  EXPECT_FALSE(Disk::Open(directory_.path() / "no/lab.disk"));
}

TEST_F(DiskTest, IsForOneLabAtATime) {
  ASSERT_TRUE(WriteFileAtomically(file_, Image("plectl-lab")));
  {
    const auto first = Disk::Open(file_);
    ASSERT_TRUE(first);
    EXPECT_TRUE(CheckDisk(file_));
    const auto second = Disk::Open(file_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kEnvironment);
    EXPECT_THAT(second.error().message, HasSubstr("in use by another lab"));
  }
  EXPECT_TRUE(Disk::Open(file_));
}

// An emulator may live a moment longer than the plectl that was killed.
TEST_F(DiskTest, StaysLockedWhileAChildLives) {
  ASSERT_TRUE(WriteFileAtomically(file_, Image("plectl-lab")));
  std::optional<Child> emulator;
  {
    const auto disk = Disk::Open(file_);
    ASSERT_TRUE(disk);
    ChildOptions options;
    options.argv = {"sleep", "100"};
    auto child = Child::Start(options);
    ASSERT_TRUE(child);
    emulator.emplace(*std::move(child));
  }
  EXPECT_FALSE(Disk::Open(file_));
  emulator->Kill();
  EXPECT_TRUE(Disk::Open(file_));
}

TEST_F(DiskTest, TellsWhenItWasWrittenAndHowLargeItIs) {
  ASSERT_TRUE(WriteFileAtomically(file_, Image("plectl-lab", 3 * kCylinderBytes)));
  const auto disk = Disk::Open(file_);
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->facts().cylinders, 3U);
  EXPECT_EQ(disk->facts().written_at_s, 0x70000201U);
}

TEST_F(DiskTest, AClockThatNoKernelCouldTakeIsCutOff) {
  std::string image = Image("plectl-lab");
  image.replace(1024 + 48, 4, "\xff\xff\xff\xff");
  ASSERT_TRUE(WriteFileAtomically(file_, image));
  EXPECT_EQ(Disk::Open(file_)->facts().written_at_s, 2'100'000'000U);
}

TEST_F(DiskTest, AnEngineFindsItByALink) {
  ASSERT_TRUE(WriteFileAtomically(file_, Image("plectl-lab")));
  const auto disk = Disk::Open(file_);
  ASSERT_TRUE(disk);
  const fs::path run = directory_.path() / "run";
  ASSERT_TRUE(MakeDirectories(run));
  ASSERT_TRUE(disk->Attach(run));
  EXPECT_EQ(fs::read_symlink(run / kDiskFile), file_);
  EXPECT_FALSE(disk->Attach(run));
}

}  // namespace
}  // namespace plectl::lab
