// SPDX-License-Identifier: Apache-2.0
// The outside of the lab against engines that behave, hang, lie and die.
#include "host_tools/lab/session.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <map>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/lab/frame.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/lab/fake_engine.h"

namespace plectl::lab {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class Recorder final : public LabObserver {
 public:
  Status OnBooted(const LabHello& hello, std::chrono::milliseconds /*boot_time*/) override {
    events += "booted " + hello.kernel_release + ";";
    return OkStatus();
  }
  Status OnStdout(std::string_view bytes) override { return Add("out", bytes); }
  Status OnStderr(std::string_view bytes) override { return Add("err", bytes); }
  Status OnRecord(std::string_view line) override {
    if (line == "refuse") return BadInput("refused");
    return Add("record", line);
  }
  std::string events;

 private:
  Status Add(std::string_view what, std::string_view text) {
    events += fmt::format("{} {};", what, text);
    return OkStatus();
  }
};

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CanMakeNetworkNamespaces()) GTEST_SKIP() << "network namespaces are not allowed here";
    options_.deadlines = {seconds(10), seconds(10), seconds(20), seconds(10)};
  }

  // Runs `script`, which finds each of the frames of Write() as a file under its name.
  Result<LabOutcome> Run(std::string_view script) {
    options_.engine = WriteFakeEngine(directory_.path(), script);
    PLECTL_ASSIGN_OR_RETURN(Engine engine, Engine::Boot(options_, directory_.path()));
    return RunSession(engine, options_, recorder_);
  }

  void Write(const std::string& name, FrameType type, std::string payload) {
    ASSERT_TRUE(
        WriteFileAtomically(directory_.path() / name, EncodeFrame({type, std::move(payload)})));
  }
  void WriteUsualFrames() {
    Write("hello", FrameType::kHello, HelloToJson({"6.1", "CPU", "kvm_intel", {}}));
    Write("exit0", FrameType::kExit, "0");
  }

  // The message of a failed run.
  std::string ErrorOf(std::string_view script) {
    const Result<LabOutcome> outcome = Run(script);
    if (outcome) return "no error";
    EXPECT_EQ(outcome.error().kind, ErrorKind::kInconclusive);
    return outcome.error().message;
  }

  TempDir directory_;
  LabOptions options_;
  Recorder recorder_;
};

TEST_F(SessionTest, DeliversEverythingInOrder) {
  WriteUsualFrames();
  Write("out", FrameType::kStdout, "o");
  Write("err", FrameType::kStderr, "e");
  Write("record", FrameType::kRecord, "{}");
  Write("exit7", FrameType::kExit, "7");
  const auto outcome =
      Run("cat hello out record err exit7 > frames\n"
          "echo '(0).[1234] [0x1] out dx, ax'; exit 1\n");
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(recorder_.events, "booted 6.1;out o;record {};err e;");
  EXPECT_EQ(outcome->exit_code, 7);
  EXPECT_EQ(outcome->emulated_instructions, 1234U);
}

TEST_F(SessionTest, AnEngineThatEndsEarlyShowsConsoleAndOutput) {
  const std::string error =
      ErrorOf("printf 'last words\\033[2J\\n' > console; echo 'Bochs: no BIOS'; exit 1");
  EXPECT_THAT(error, HasSubstr("ended before its job"));
  EXPECT_THAT(error, HasSubstr("  last words?[2J"));
  EXPECT_THAT(error, HasSubstr("  Bochs: no BIOS"));
  EXPECT_THAT(error, Not(HasSubstr("\033")));
}

TEST_F(SessionTest, AHelloWithoutExitIsNoSuccess) {
  WriteUsualFrames();
  EXPECT_THAT(ErrorOf("cat hello > frames"), HasSubstr("ended before its job"));
}

TEST_F(SessionTest, ALabThatNeverComesUpIsEnded) {
  options_.deadlines.boot = seconds(1);
  const Stopwatch watch;
  EXPECT_THAT(ErrorOf("sleep 100"), HasSubstr("was not up after 1 s; its console is empty"));
  EXPECT_LT(watch.ElapsedNs(), 20'000'000'000);
}

TEST_F(SessionTest, ASilentLabIsEnded) {
  WriteUsualFrames();
  options_.deadlines.silence = seconds(1);
  const std::string error = ErrorOf("cat hello > frames; echo busy > console; sleep 100");
  EXPECT_THAT(error, HasSubstr("sent nothing for 1 s;"));
  EXPECT_THAT(error, HasSubstr("; its last console lines:\n  busy"));
}

// As Bochs's debugger answers an interrupt.
TEST_F(SessionTest, AHungLabSaysWhatItRanAndHowFarItsClockWent) {
  WriteUsualFrames();
  Write("err", FrameType::kStderr, "e");
  options_.deadlines.silence = seconds(1);
  options_.engine =
      WriteFakeEngine(directory_.path(),
                      "trap 'echo \"Next at t=5000000000\"; exit 0' INT\ncat hello err > frames\n"
                      "while :; do sleep 0.1; done");
  auto engine = Engine::Boot(options_, directory_.path());
  ASSERT_TRUE(engine) << engine.error().Text();
  const auto outcome = RunSession(*engine, options_, recorder_, "qemu-system-x86_64 -m 64");
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message,
              HasSubstr("sent nothing for 1 s; its clock stands at 25.0 s; the last thing it sent "
                        "was standard error; it ran: qemu-system-x86_64 -m 64"));
}

TEST_F(SessionTest, ALongRecordArrivesWhole) {
  WriteUsualFrames();
  std::string bytes;
  const std::string line = std::string(kFramePayloadMax, 'a') + "b";
  const auto frames = FramesOfRecord(line);
  ASSERT_TRUE(frames);
  for (const Frame& frame : *frames) bytes += EncodeFrame(frame);
  ASSERT_TRUE(WriteFileAtomically(directory_.path() / "record", bytes));
  const auto outcome = Run("cat hello record exit0 > frames\n");
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(recorder_.events, "booted 6.1;record " + line + ";");
}

TEST_F(SessionTest, ARecordThatDoesNotEndIsAnError) {
  WriteUsualFrames();
  Write("part", FrameType::kRecordPart, "{");
  EXPECT_THAT(ErrorOf("cat hello part exit0 > frames"), HasSubstr("ended its job amid a record"));
}

TEST_F(SessionTest, ATalkativeLabMeetsTheTotalDeadline) {
  WriteUsualFrames();
  Write("out", FrameType::kStdout, "o");
  options_.deadlines.total = seconds(2);
  EXPECT_THAT(ErrorOf("cat hello > frames; while :; do cat out > frames; sleep 0.1; done"),
              HasSubstr("ran for more than 2 s"));
}

TEST_F(SessionTest, APanicIsNoticed) {
  WriteUsualFrames();
  const std::string error = ErrorOf(
      "cat hello > frames; echo 'Kernel panic - not syncing: oh' > console; "
      "echo 'more of it' > console; sleep 100");
  EXPECT_THAT(error, HasSubstr("the lab panicked"));
  EXPECT_THAT(error, HasSubstr("not syncing: oh\n  more of it"));
}

TEST_F(SessionTest, ARebootIsNoticed) {
  WriteUsualFrames();
  EXPECT_THAT(ErrorOf("cat hello hello > frames; sleep 100"), HasSubstr("rebooted"));
}

TEST_F(SessionTest, AMachineForASnapshotSaysReady) {
  Write("ready", FrameType::kReady, "");
  options_.engine = WriteFakeEngine(directory_.path(), "cat ready > frames; sleep 100");
  auto engine = Engine::Boot(options_, directory_.path());
  ASSERT_TRUE(engine) << engine.error().Text();
  const Status ready = AwaitReady(*engine, options_, recorder_);
  EXPECT_TRUE(ready) << ready.error().Text();
}

TEST_F(SessionTest, AMachineThatEndsBeforeItIsReadyIsAnError) {
  options_.engine = WriteFakeEngine(directory_.path(), "echo 'no disk'; exit 1");
  auto engine = Engine::Boot(options_, directory_.path());
  ASSERT_TRUE(engine) << engine.error().Text();
  const Status ready = AwaitReady(*engine, options_, recorder_);
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().message, HasSubstr("ended while it booted:\n  no disk"));
}

TEST_F(SessionTest, LiesAreErrors) {
  WriteUsualFrames();
  Write("out", FrameType::kStdout, "o");
  Write("exit-1", FrameType::kExit, "-1");
  Write("exit256", FrameType::kExit, "256");
  const std::map<std::string, std::string> lies = {
      {"cat out > frames; sleep 100", "before it was up"},
      {"cat hello exit0 out > frames; sleep 100", "after the end of its job"},
      {"cat hello exit0 exit0 > frames; sleep 100", "after the end of its job"},
      {"cat hello exit-1 > frames; sleep 100", "an exit code that is none"},
      {"cat hello exit256 > frames; sleep 100", "an exit code that is none"},
      {"cat /dev/zero > frames", "damaged"}};
  for (const auto& [script, error] : lies) {
    std::filesystem::remove(directory_.path() / "console");
    std::filesystem::remove(directory_.path() / "frames");
    EXPECT_THAT(ErrorOf(script), HasSubstr(error)) << script;
  }
}

TEST_F(SessionTest, AFloodOnTheConsoleIsHarmless) {
  WriteUsualFrames();
  const auto outcome =
      Run("head -c 30000000 /dev/zero > console; cat hello exit0 > frames; echo end > console");
  ASSERT_TRUE(outcome) << outcome.error().Text();
}

TEST_F(SessionTest, ALabThatDoesNotPowerOffHasStillDoneItsJob) {
  WriteUsualFrames();
  options_.deadlines.power_off = seconds(1);
  const auto outcome = Run("cat hello exit0 > frames; sleep 100");
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->emulated_instructions, std::nullopt);
}

TEST_F(SessionTest, TheObserversErrorEndsTheLab) {
  WriteUsualFrames();
  Write("record", FrameType::kRecord, "refuse");
  const auto outcome = Run("cat hello record > frames; sleep 100");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "refused");
}

TEST_F(SessionTest, AStopRequestEndsTheLab) {
  WriteUsualFrames();
  const Fd stop(::eventfd(1, 0));
  options_.stop_fd = stop.get();
  EXPECT_THAT(ErrorOf("cat hello > frames; sleep 100"), HasSubstr("stopped"));
}

TEST_F(SessionTest, AMissingEngineIsSaid) {
  options_.engine = "/nonexistent/bochs";
  const auto engine = Engine::Boot(options_, directory_.path());
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().kind, ErrorKind::kEnvironment);
}

TEST(EngineVersionOf, AProgramThatIsNotBochs) {
  const auto version = EngineVersion("true");
  ASSERT_FALSE(version);
  EXPECT_THAT(version.error().message, HasSubstr("not the PC emulator Bochs"));
}

}  // namespace
}  // namespace plectl::lab
