// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "host_tools/base/file.h"
#include "host_tools/experiment/run_log.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using ::testing::HasSubstr;

// While it lives, no file can grow above `bytes`: write(2) then stops in the middle of a line, as
// it does on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    handler_before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_before_);
  }

 private:
  rlimit before_{};
  void (*handler_before_)(int) = nullptr;
};

class RunLogWriterTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path Directory() const { return dir_.path() / "a" / "b"; }
  [[nodiscard]] std::string Text() const { return ReadFile(Directory() / "run.jsonl").value(); }
  void Put(const std::string& text) const {
    ASSERT_TRUE(MakeDirectories(Directory()));
    ASSERT_TRUE(WriteFileAtomically(Directory() / "run.jsonl", text));
  }
  TempDir dir_;
};

TEST_F(RunLogWriterTest, CreatesFoldersAndAppendsLines) {
  RunLogWriter writer = RunLogWriter::Open(Directory()).value();
  ASSERT_TRUE(writer.Append(SampleManifest()));
  ASSERT_TRUE(writer.Append(SampleTrial("a")));
  EXPECT_EQ(Text(), LineOf(SampleManifest()) + LineOf(SampleTrial("a")));
  EXPECT_EQ(LoadRunLog(Directory()).value().trials.size(), 1U);
}

TEST_F(RunLogWriterTest, AStartThatFailsLeavesNoEmptyLog) {
  ASSERT_TRUE(RunLogWriter::Open(Directory()));
  EXPECT_FALSE(std::filesystem::exists(Directory() / "run.jsonl"));
  RunLogWriter first = RunLogWriter::Open(Directory()).value();
  EXPECT_TRUE(std::filesystem::exists(Directory() / "run.jsonl"));
  EXPECT_TRUE(IsBeingWritten(Directory()));
  EXPECT_THAT(NextStepFor(Directory()), HasSubstr("still running"));
  ASSERT_TRUE(first.Append(SampleManifest()));
  { const RunLogWriter last = std::move(first); }
  EXPECT_TRUE(std::filesystem::exists(Directory() / "run.jsonl"));
  EXPECT_FALSE(IsBeingWritten(Directory()));
}

TEST_F(RunLogWriterTest, GoesOnWithAWholeFileUnchanged) {
  const std::string before = LineOf(SampleManifest()) + "\r\n" + LineOf(SampleTrial("a"));
  Put(before);
  ASSERT_TRUE(RunLogWriter::Open(Directory()));
  EXPECT_EQ(Text(), before);
}

TEST_F(RunLogWriterTest, CutsATornLine) {
  const std::string whole = LineOf(SampleManifest()) + LineOf(SampleTrial("a"));
  for (const size_t torn : {1U, 100U, 65'535U, 65'536U, 200'000U}) {
    Put(whole + std::string(torn, 'x'));
    RunLogWriter writer = RunLogWriter::Open(Directory()).value();
    EXPECT_EQ(Text(), whole) << torn;
    ASSERT_TRUE(writer.Append(SampleTrial("b")));
    EXPECT_EQ(Text(), whole + LineOf(SampleTrial("b"))) << torn;
  }
}

TEST_F(RunLogWriterTest, AFileWithoutANewlineIsTornWhole) {
  Put(std::string(70'000, 'x'));
  ASSERT_TRUE(RunLogWriter::Open(Directory()));
  EXPECT_EQ(Text(), "");
}

TEST_F(RunLogWriterTest, EveryKillPointResumesToTheSameFile) {
  const std::string whole = LineOf(SampleManifest()) + LineOf(SampleTrial("a"));
  for (size_t length = 0; length <= whole.size(); length += 97) {
    Put(whole.substr(0, length));
    const size_t complete = LoadRunLog(Directory()).value().complete_bytes;
    ASSERT_TRUE(RunLogWriter::Open(Directory()));
    EXPECT_EQ(Text(), whole.substr(0, complete));
  }
}

TEST_F(RunLogWriterTest, AFullDiskLeavesNoHalfLine) {
  RunLogWriter writer = RunLogWriter::Open(Directory()).value();
  ASSERT_TRUE(writer.Append(SampleManifest()));
  const std::string before = Text();
  {
    const FileSizeLimit limit(before.size() + 20);
    const Status appended = writer.Append(SampleTrial("a"));
    ASSERT_FALSE(appended);
    EXPECT_THAT(appended.error().message, HasSubstr("append to " + Directory().string()));
    EXPECT_THAT(appended.error().hint, HasSubstr("room"));
    EXPECT_EQ(Text(), before);
  }
  EXPECT_TRUE(writer.Append(SampleTrial("a")));
  EXPECT_EQ(Text(), before + LineOf(SampleTrial("a")));
}

TEST_F(RunLogWriterTest, ASecondWriterIsRefused) {
  const RunLogWriter writer = RunLogWriter::Open(Directory()).value();
  const Result<RunLogWriter> second = RunLogWriter::Open(Directory());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(second.error().message, HasSubstr("another plectl"));
}

TEST_F(RunLogWriterTest, TextThatIsNotUtf8IsReplaced) {
  RunLogWriter writer = RunLogWriter::Open(Directory()).value();
  ASSERT_TRUE(writer.Append(SampleManifest()));
  ASSERT_TRUE(writer.Append(InvalidTrial("a", "the file said \xff")));
  EXPECT_EQ(LoadRunLog(Directory()).value().trials[0].invalid_because,
            "the file said \xef\xbf\xbd");
}

TEST_F(RunLogWriterTest, SomethingElseThanAFileIsRefused) {
  ASSERT_TRUE(MakeDirectories(Directory() / "run.jsonl"));
  EXPECT_FALSE(RunLogWriter::Open(Directory()));
}

}  // namespace
}  // namespace plectl::experiment
