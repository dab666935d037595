// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/perf_control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "tests/unit/base/temp_dir.h"

namespace plectl::host {
namespace {

constexpr std::chrono::milliseconds kLong{10'000};
constexpr std::chrono::milliseconds kShort{120};

// The FIFOs, and perf's side of them.
class PerfControlTest : public ::testing::Test {
 protected:
  PerfControlTest() : paths_{PathOf("ctl"), PathOf("ack")} {
    EXPECT_EQ(::mkfifo(paths_.control.c_str(), 0600), 0);
    EXPECT_EQ(::mkfifo(paths_.acknowledge.c_str(), 0600), 0);
  }
  std::string PathOf(const char* name) { return (directory_.path() / name).string(); }

  // perf opens both for reading and writing, and never blocks on them.
  void OpenAsPerf() {
    control_ = Fd(::open(paths_.control.c_str(), O_RDWR | O_CLOEXEC));
    acknowledge_ = Fd(::open(paths_.acknowledge.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(control_.valid() && acknowledge_.valid());
  }
  // Its answer comes with a terminating 0.
  void Acknowledge() {
    ASSERT_EQ(::write(acknowledge_.get(), "ack\n", 5), 5);  // NOLINT(bugprone-not-null-terminated*)
  }
  std::string ReadCommand() {
    std::array<char, 64> bytes{};
    const ssize_t size = ::read(control_.get(), bytes.data(), bytes.size());
    return {bytes.data(), static_cast<size_t>(size)};
  }

  TempDir directory_;
  PerfControlPaths paths_;
  Fd control_;
  Fd acknowledge_;
};

TEST(ParsePerfControl, TakesTwoPaths) {
  const auto paths = ParsePerfControl("/run/ctl,ack");
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->control, "/run/ctl");
  EXPECT_EQ(paths->acknowledge, "ack");
  for (const char* bad : {"", "a", "a,", ",b", "a,b,c"}) {
    const auto refused = ParsePerfControl(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().kind, ErrorKind::kBadInput);
  }
}

TEST_F(PerfControlTest, AwaitsEachAnswer) {
  OpenAsPerf();
  auto perf = PerfControl::Open(paths_, kLong).value();
  std::string commands;
  std::jthread answering([&] {
    for (int i = 0; i < 2; ++i) {
      commands += ReadCommand();
      Acknowledge();
    }
  });
  EXPECT_TRUE(perf.Enable());
  EXPECT_TRUE(perf.Disable());
  answering.join();
  EXPECT_EQ(commands, "enable\ndisable\n");
}

TEST_F(PerfControlTest, AnOldAnswerIsNone) {
  OpenAsPerf();
  auto perf = PerfControl::Open(paths_, kShort).value();
  Acknowledge();
  const Status enabled = perf.Enable();
  ASSERT_FALSE(enabled);
  EXPECT_EQ(enabled.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(enabled.error().message.find("did not answer 'enable'"), std::string::npos);
  EXPECT_NE(enabled.error().hint.find("--control=fifo:" + paths_.control), std::string::npos);
}

TEST_F(PerfControlTest, APerfThatEndedIsAnErrorAndNoSignal) {
  OpenAsPerf();
  auto perf = PerfControl::Open(paths_, kShort).value();
  control_.Reset();
  acknowledge_.Reset();
  const Status enabled = perf.Enable();
  ASSERT_FALSE(enabled);
  EXPECT_EQ(enabled.error().kind, ErrorKind::kEnvironment);
}

TEST_F(PerfControlTest, WithoutPerfThereIsAnErrorInTime) {
  const auto perf = PerfControl::Open(paths_, kShort);
  ASSERT_FALSE(perf);
  EXPECT_EQ(perf.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(perf.error().message.find("no perf has opened"), std::string::npos);
}

TEST_F(PerfControlTest, WaitsForAPerfThatStarts) {
  std::jthread starting([&] {
    std::this_thread::sleep_for(kShort);
    OpenAsPerf();
  });
  EXPECT_TRUE(PerfControl::Open(paths_, kLong));
}

TEST_F(PerfControlTest, RefusesWhatIsNoFifo) {
  const auto none = PerfControl::Open({PathOf("nowhere"), paths_.acknowledge}, kShort);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kEnvironment);
  const auto file = PerfControl::Open({"/etc/passwd", paths_.acknowledge}, kShort);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace plectl::host
