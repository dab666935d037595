// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace plectl::lab {
namespace {

constexpr size_t kHeaderSize = 110;

// One entry of a "newc" archive as cpio(5) describes it.
struct Entry {
  std::string path;
  uint32_t mode = 0;
  uint32_t inode = 0;
  uint32_t mtime = 0;
  uint32_t owner = 0;
  std::string content;
};

uint32_t Field(std::string_view header, size_t index) {
  return static_cast<uint32_t>(
      std::stoul(std::string(header.substr(6 + index * 8, 8)), nullptr, 16));
}

size_t Aligned(size_t offset) { return (offset + 3) / 4 * 4; }

std::vector<Entry> Parse(const std::string& archive) {
  std::vector<Entry> entries;
  size_t offset = 0;
  while (offset + kHeaderSize <= archive.size()) {
    const std::string_view header = std::string_view(archive).substr(offset, kHeaderSize);
    EXPECT_EQ(header.substr(0, 6), "070701");
    const size_t name_size = Field(header, 11);
    const size_t content_size = Field(header, 6);
    const size_t content_offset = Aligned(offset + kHeaderSize + name_size);
    Entry entry{archive.substr(offset + kHeaderSize, name_size - 1),
                Field(header, 1),
                Field(header, 0),
                Field(header, 5),
                Field(header, 2) + Field(header, 3),
                archive.substr(content_offset, content_size)};
    EXPECT_EQ(archive[offset + kHeaderSize + name_size - 1], '\0');
    offset = Aligned(content_offset + content_size);
    if (entry.path == "TRAILER!!!") break;
    entries.push_back(std::move(entry));
  }
  EXPECT_EQ(archive.find_first_not_of('\0', offset), std::string::npos);
  return entries;
}

std::vector<std::string> Paths(const Archive& archive) {
  std::vector<std::string> paths;
  for (const Entry& entry : Parse(archive.ToCpio())) paths.push_back(entry.path);
  return paths;
}

TEST(Archive, HoldsFilesLinksAndDirectories) {
  Archive archive;
  archive.AddFile("/bin/tool", "content", 0755);
  archive.AddSymlink("/bin/sh", "tool");
  archive.AddDirectory("/proc");
  const std::vector<Entry> entries = Parse(archive.ToCpio());
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].path, "bin");
  EXPECT_EQ(entries[0].mode, 0040755U);
  EXPECT_EQ(entries[1].path, "bin/sh");
  EXPECT_EQ(entries[1].mode, 0120777U);
  EXPECT_EQ(entries[1].content, "tool");
  EXPECT_EQ(entries[2].path, "bin/tool");
  EXPECT_EQ(entries[2].mode, 0100755U);
  EXPECT_EQ(entries[2].content, "content");
  EXPECT_EQ(entries[3].path, "proc");
}

TEST(Archive, ParentsComeBeforeTheirFiles) {
  Archive archive;
  archive.AddFile("/job/run/run.jsonl", "");
  EXPECT_THAT(Paths(archive), testing::ElementsAre("job", "job/run", "job/run/run.jsonl"));
}

TEST(Archive, TheOrderOfAddingDoesNotShow) {
  Archive one;
  one.AddFile("/b", "2");
  one.AddFile("/a/c", "1");
  Archive other;
  other.AddFile("/a/c", "1");
  other.AddFile("/b", "2");
  EXPECT_EQ(one.ToCpio(), other.ToCpio());
}

TEST(Archive, NothingButTheContentShows) {
  Archive archive;
  archive.AddFile("/x/y", "z");
  uint32_t inode = 1;
  for (const Entry& entry : Parse(archive.ToCpio())) {
    EXPECT_EQ(entry.mtime, 0U);
    EXPECT_EQ(entry.owner, 0U);
    EXPECT_EQ(entry.inode, inode++);
  }
}

TEST(Archive, ALaterFileReplacesAnEarlierOne) {
  Archive archive;
  archive.AddFile("/a", "old");
  archive.AddFile("//a", "new");
  const std::vector<Entry> entries = Parse(archive.ToCpio());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].content, "new");
}

TEST(Archive, AnyContentAndSizeIsAligned) {
  for (size_t size = 0; size < 9; ++size) {
    Archive archive;
    archive.AddFile("/" + std::string(size + 1, 'n'), std::string(size, '\0'));
    archive.AddFile("/z", "after");
    const std::string cpio = archive.ToCpio();
    EXPECT_EQ(cpio.size() % 512, 0U);
    const std::vector<Entry> entries = Parse(cpio);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].content.size(), size);
    EXPECT_EQ(entries[1].content, "after");
  }
}

TEST(Archive, AnEmptyOneIsATrailer) {
  EXPECT_THAT(Parse(Archive().ToCpio()), testing::IsEmpty());
  EXPECT_EQ(Archive().ToCpio().size(), 512U);
}

}  // namespace
}  // namespace plectl::lab
