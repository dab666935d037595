// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "host_tools/base/file.h"
#include "host_tools/lab/frame.h"
#include "host_tools/lab/hello.h"
#include "host_tools/lab/job.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

class FrameSink final : public ByteSink {
 public:
  Status Write(std::string_view bytes) override {
    decoder_.Feed(bytes);
    while (true) {
      PLECTL_ASSIGN_OR_RETURN(std::optional<Frame> frame, decoder_.Next());
      if (!frame) return OkStatus();
      frames_.push_back(*std::move(frame));
    }
  }
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  [[nodiscard]] std::string Joined(FrameType type) const {
    std::string joined;
    for (const Frame& frame : frames_) {
      if (frame.type == type) joined += frame.payload + (type == FrameType::kRecord ? ";" : "");
    }
    return joined;
  }

 private:
  FrameDecoder decoder_;
  std::vector<Frame> frames_;
};

class AgentTest : public testing::Test {
 protected:
  Status Run(const LabJob& job) {
    const std::filesystem::path file = directory_.path() / "job.json";
    PLECTL_ASSIGN_OR_RETURN(const std::string json, JobToJson(job));
    PLECTL_RETURN_IF_ERROR(WriteFileAtomically(file, json));
    return RunAgent(HostRoot(), file, sink_);
  }

  Status RunShell(const std::string& script) {
    LabJob job;
    job.argv = {"/bin/sh", "-c", script};
    job.environment = {{"RUN", (directory_.path() / "run").string()}};
    job.follow_file = (directory_.path() / "run/run.jsonl").string();
    return Run(job);
  }

  TempDir directory_;
  FrameSink sink_;
};

TEST_F(AgentTest, SaysHelloFirstAndExitLast) {
  ASSERT_TRUE(RunShell("exit 0"));
  ASSERT_EQ(sink_.frames().size(), 2U);
  EXPECT_EQ(sink_.frames()[0].type, FrameType::kHello);
  EXPECT_TRUE(HelloFromJson(sink_.frames()[0].payload));
  EXPECT_EQ(sink_.frames()[1], (Frame{FrameType::kExit, "0"}));
}

TEST_F(AgentTest, KeepsTheStreamsApart) {
  ASSERT_TRUE(RunShell("echo out; echo err >&2; printf 'no newline'"));
  EXPECT_EQ(sink_.Joined(FrameType::kStdout), "out\nno newline");
  EXPECT_EQ(sink_.Joined(FrameType::kStderr), "err\n");
}

TEST_F(AgentTest, PassesTheExitCodeOn) {
  ASSERT_TRUE(RunShell("exit 7"));
  EXPECT_EQ(sink_.Joined(FrameType::kExit), "7");
}

TEST_F(AgentTest, ASignalIsAnExitCodeAsInShells) {
  ASSERT_TRUE(RunShell("kill -9 $$"));
  EXPECT_EQ(sink_.Joined(FrameType::kExit), "137");
}

TEST_F(AgentTest, AMissingCommandIsSaidOnStandardError) {
  LabJob job;
  job.argv = {"/nonexistent/command"};
  ASSERT_TRUE(Run(job));
  EXPECT_THAT(sink_.Joined(FrameType::kStderr), testing::HasSubstr("/nonexistent/command"));
  EXPECT_EQ(sink_.Joined(FrameType::kExit), "3");
}

TEST_F(AgentTest, SendsRecordsAsTheyAppear) {
  ASSERT_TRUE(RunShell("for i in 1 2 3; do echo $i >> $RUN/run.jsonl; done"));
  EXPECT_EQ(sink_.Joined(FrameType::kRecord), "1;2;3;");
}

TEST_F(AgentTest, ARecordLeavesBeforeTheJobGoesOn) {
  // What follows on standard output is later by far than one wake-up.
  ASSERT_TRUE(RunShell("echo first >> $RUN/run.jsonl; sleep 0.3; echo after"));
  const std::vector<Frame>& frames = sink_.frames();
  ASSERT_EQ(frames.size(), 4U);
  EXPECT_EQ(frames[1], (Frame{FrameType::kRecord, "first"}));
  EXPECT_EQ(frames[2], (Frame{FrameType::kStdout, "after\n"}));
}

TEST_F(AgentTest, LosesNothingOfALotOfOutput) {
  ASSERT_TRUE(RunShell("head -c 1000000 /dev/zero; head -c 500000 /dev/zero >&2"));
  EXPECT_EQ(sink_.Joined(FrameType::kStdout).size(), 1'000'000U);
  EXPECT_EQ(sink_.Joined(FrameType::kStderr).size(), 500'000U);
}

TEST_F(AgentTest, DoesNotWaitForWhoeverHoldsThePipe) {
  ASSERT_TRUE(RunShell("sleep 3 & echo done"));
  EXPECT_EQ(sink_.Joined(FrameType::kStdout), "done\n");
  EXPECT_EQ(sink_.Joined(FrameType::kExit), "0");
}

TEST_F(AgentTest, ALongRecordLeavesInParts) {
  ASSERT_TRUE(
      RunShell("head -c 2500000 /dev/zero | tr '\\0' x > $RUN/line; echo >> $RUN/line; mv "
               "$RUN/line $RUN/run.jsonl; sleep 1"));
  EXPECT_EQ(sink_.Joined(FrameType::kRecordPart).size(), 2 * kFramePayloadMax);
  EXPECT_EQ(sink_.Joined(FrameType::kRecord).size(), 2'500'001 - 2 * kFramePayloadMax);
}

TEST_F(AgentTest, AMissingJobIsAnError) {
  EXPECT_FALSE(RunAgent(HostRoot(), directory_.path() / "none.json", sink_));
  EXPECT_THAT(sink_.frames(), testing::IsEmpty());
}

}  // namespace
}  // namespace plectl::lab
