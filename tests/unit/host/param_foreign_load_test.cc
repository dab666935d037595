// SPDX-License-Identifier: Apache-2.0
// An admin who reloads the module beside a session: what is his is never undone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/unit/host/session_fixture.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

class ForeignLoadTest : public SessionFixture {};

// What `modprobe -r kvm_intel && modprobe kvm_intel ...` of an admin does.
void LoadByAnother(const FakeHost& host, const ParamValues& values) {
  FakeLoader theirs(host, KvmModule::kIntel);
  ASSERT_TRUE(theirs.Unload(KvmModule::kIntel));
  ASSERT_TRUE(theirs.Load(KvmModule::kIntel, values));
}

TEST_F(ForeignLoadTest, ALoadByAnotherIsAnErrorAndIsNotUndone) {
  ParamSession session = Begin();
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  LoadByAnother(host_, {{"ple_window", "1234"}});
  const auto applied = session.Apply({{"ple_window", "1024"}});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(applied.error().message, HasSubstr("was loaded anew by something else"));
  EXPECT_EQ(session.reloads(), 1);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(session.Restore());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("is left as it is: ple_window is 1234 instead of 4096"));
  EXPECT_EQ(Current().at("ple_window"), "1234");
  EXPECT_FALSE(host_.JournalExists());
}

// Even one that has the values of ours: nobody else may count on them to go.
TEST_F(ForeignLoadTest, ALoadByAnotherWithOurValuesIsTheirs) {
  ParamSession session = Begin();
  const ParamValues ours = session.Apply({{"ple_window", "8192"}}).value();
  LoadByAnother(host_, ours);
  EXPECT_FALSE(session.Apply({{"ple_window", "8192"}}));
  testing::internal::CaptureStderr();
  EXPECT_TRUE(session.Restore());
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(Current().at("ple_window"), "8192");
}

TEST_F(ForeignLoadTest, TheOriginalsAreThoseRightBeforeTheFirstChange) {
  ParamSession session = Begin();
  LoadByAnother(host_, {{"ple_gap", "77"}});
  const ParamValues read = session.Apply({{"ple_window", "8192"}}).value();
  EXPECT_EQ(read.at("ple_gap"), "77");
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current().at("ple_gap"), "77");
  EXPECT_EQ(Current().at("ple_window"), "4096");
}

// The module is busy at first, and is loaded anew while the session waits for that to end.
TEST_F(ForeignLoadTest, OriginalsAreReadAgainAfterWaiting) {
  host_.Write("/sys/module/kvm_intel/refcnt", "1\n");
  ParamSession session = Begin();
  session.WaitForOthers(std::chrono::seconds(60));
  std::thread admin([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    LoadByAnother(host_, {{"ple_gap", "77"}});
  });
  const auto read = session.Apply({{"ple_window", "8192"}});
  admin.join();
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current().at("ple_gap"), "77");
}

TEST_F(ForeignLoadTest, ALoadWhileTheJournalIsWrittenGivesNewOriginals) {
  ParamSession session = Begin();
  bool done = false;
  loader_->on_step = [&](std::string_view step) {
    if (step == "checked" && !done) LoadByAnother(host_, {{"ple_gap", "77"}});
    done = true;
  };
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  loader_->on_step = [](std::string_view) {};
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current().at("ple_gap"), "77");
}

}  // namespace
}  // namespace plectl::host
