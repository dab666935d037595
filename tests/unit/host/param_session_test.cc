// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/param_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/unit/host/session_fixture.h"

namespace plectl::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ParamSessionTest : public SessionFixture {};

TEST_F(ParamSessionTest, ChangesNothingWhileNoValueDiffers) {
  ParamSession session = Begin();
  EXPECT_EQ(session.Apply({{"ple_window", "4096"}}).value(), originals_);
  EXPECT_EQ(session.Apply({}).value(), originals_);
  EXPECT_EQ(session.reloads(), 0);
  EXPECT_FALSE(host_.JournalExists());
  EXPECT_TRUE(loader_->loads.empty());
}

TEST_F(ParamSessionTest, AppliesAndRestores) {
  ParamSession session = Begin();
  const ParamValues read = session.Apply({{"ple_window", "8192"}, {"ple_gap", "0"}}).value();
  EXPECT_EQ(read.at("ple_window"), "8192");
  EXPECT_EQ(read.at("ple_gap"), "0");
  EXPECT_EQ(Current(), read);
  EXPECT_EQ(session.reloads(), 1);
  EXPECT_EQ(session.originals(), originals_);
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current(), originals_);
  EXPECT_FALSE(host_.JournalExists());
  EXPECT_TRUE(session.Restore());
}

TEST_F(ParamSessionTest, RefusesToKillOthersKprobesButNeverToRestore) {
  constexpr std::string_view kList = "ffffffffc0a01230  k  handle_pause+0x0  kvm_intel [FTRACE]\n";
  ParamSession session = Begin();
  host_.Write("/sys/kernel/debug/kprobes/list", kList);
  const auto refused = session.Apply({{"ple_window", "8192"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("handle_pause"));
  EXPECT_TRUE(loader_->loads.empty());
  EXPECT_FALSE(host_.JournalExists());
  host_.Remove("/sys/kernel/debug/kprobes/list");
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  host_.Write("/sys/kernel/debug/kprobes/list", kList);
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current(), originals_);
}

TEST_F(ParamSessionTest, JournalsTheOriginalsBeforeTheFirstUnload) {
  std::optional<ParamJournal> seen;  // outlives the session, whose destructor unloads too
  ParamSession session = Begin();
  loader_->on_step = [&](std::string_view step) {
    if (step == "before unload" && !seen) seen = LoadJournal(host_.root()).value();
  };
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->originals, originals_);
  EXPECT_EQ(seen->state, ParamJournal::State::kPlanned);
  const ParamJournal later = LoadJournal(host_.root()).value().value();
  EXPECT_EQ(later.state, ParamJournal::State::kApplied);
  ASSERT_TRUE(session.Apply({{"ple_window", "1024"}}));
  EXPECT_EQ(LoadJournal(host_.root()).value()->originals, originals_);
}

TEST_F(ParamSessionTest, AppliesOverTheOriginalsNotOverTheLastValues) {
  ParamSession session = Begin();
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  const ParamValues read = session.Apply({{"ple_gap", "64"}}).value();
  EXPECT_EQ(read.at("ple_window"), "4096");
  EXPECT_EQ(read.at("ple_gap"), "64");
  EXPECT_EQ(session.reloads(), 2);
}

TEST_F(ParamSessionTest, PassesEveryOtherParameterAsItWas) {
  host_.Write("/sys/module/kvm_intel/parameters/nested", "N\n");
  host_.Write("/sys/module/kvm_intel/parameters/vmentry_l1d_flush", "not required\n");
  const ParamValues before = Current();
  ParamSession session = Begin();
  const ParamValues read = session.Apply({{"ple_window", "8192"}}).value();
  EXPECT_EQ(read.at("nested"), "N");
  ASSERT_EQ(loader_->loads.size(), 1U);
  EXPECT_EQ(loader_->loads[0].at("nested"), "N");
  EXPECT_FALSE(loader_->loads[0].contains("vmentry_l1d_flush"));
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current(), before);
}

TEST_F(ParamSessionTest, TheDestructorRestores) {
  { EXPECT_TRUE(Begin().Apply({{"ple_window", "8192"}})); }
  EXPECT_EQ(Current(), originals_);
  EXPECT_FALSE(host_.JournalExists());
}

TEST_F(ParamSessionTest, AMovedSessionRestoresOnce) {
  {
    ParamSession session = Begin();
    ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
    const ParamSession moved = std::move(session);
    EXPECT_EQ(moved.reloads(), 1);
  }
  EXPECT_EQ(Current(), originals_);
}

TEST_F(ParamSessionTest, KeptJournalKeepsValuesAndKeepsOthersOut) {
  {
    ParamSession session = Begin();
    ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
    session.KeepJournal();
  }
  EXPECT_EQ(Current().at("ple_window"), "8192");
  const auto second = ParamSession::Begin(host_.root(), KvmModule::kIntel, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kEnvironment);
  EXPECT_EQ(second.error().hint, "sudo plectl params restore");
}

TEST_F(ParamSessionTest, RefusesASecondSession) {
  const ParamSession session = Begin();
  const auto second = ParamSession::Begin(host_.root(), KvmModule::kIntel, nullptr);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another plectl (PID"));
}

TEST_F(ParamSessionTest, RefusesAnUnloadedModule) {
  const auto session = ParamSession::Begin(host_.root(), KvmModule::kAmd, nullptr);
  ASSERT_FALSE(session);
  EXPECT_THAT(session.error().message, HasSubstr("kvm_amd is not loaded"));
}

struct Refused {
  std::string host;
  KvmModule module;
  ParamValues values;
  ErrorKind kind;
  std::string message;
};

class RefusedTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, BeforeAnythingChanges) {
  const FakeHost host(GetParam().host);
  auto loader = std::make_unique<FakeLoader>(host, GetParam().module);
  const FakeLoader& calls = *loader;
  ParamSession session =
      ParamSession::Begin(host.root(), GetParam().module, std::move(loader)).value();
  const auto result = session.Apply(GetParam().values);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, GetParam().kind);
  EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
  EXPECT_FALSE(result.error().hint.empty());
  EXPECT_FALSE(host.JournalExists());
  EXPECT_TRUE(calls.loads.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedTest,
    testing::Values(Refused{"intel_ple",
                            KvmModule::kIntel,
                            {{"nestd", "N"}},
                            ErrorKind::kBadInput,
                            "no parameter \"nestd\", did you mean \"nested\"?"},
                    Refused{"intel_ple",
                            KvmModule::kIntel,
                            {{"pause_filter_count", "1"}},
                            ErrorKind::kBadInput,
                            "pause_filter_count is a parameter of kvm_amd"},
                    Refused{"amd_threshold",
                            KvmModule::kAmd,
                            {{"ple_gap", "0"}},
                            ErrorKind::kBadInput,
                            "ple_gap is a parameter of kvm_intel"},
                    Refused{"intel_ple",
                            KvmModule::kIntel,
                            {{"ple_window_shrink", "8192"}},
                            ErrorKind::kBadInput,
                            "wrap below zero"},
                    Refused{"intel_ple",
                            KvmModule::kIntel,
                            {{"ple_window", "x"}},
                            ErrorKind::kBadInput,
                            "ple_window=x"},
                    Refused{"intel_l1_guest",
                            KvmModule::kIntel,
                            {{"ple_window", "4096"}},
                            ErrorKind::kEnvironment,
                            "offers no pause-loop exiting"},
                    Refused{"amd_no_threshold",
                            KvmModule::kAmd,
                            {{"pause_filter_thresh", "128"}},
                            ErrorKind::kEnvironment,
                            "no PFTHRESHOLD"},
                    Refused{"intel_built_in",
                            KvmModule::kIntel,
                            {{"ple_window", "8192"}},
                            ErrorKind::kEnvironment,
                            "is built into this kernel"},
                    Refused{"intel_busy",
                            KvmModule::kIntel,
                            {{"ple_window", "8192"}},
                            ErrorKind::kEnvironment,
                            "4242 (qemu-system-x86"}));

TEST(ParamSessionOnAmd, SweepsTheCountWithoutAThreshold) {
  const FakeHost host("amd_no_threshold");
  ParamSession session = ParamSession::Begin(host.root(), KvmModule::kAmd,
                                             std::make_unique<FakeLoader>(host, KvmModule::kAmd))
                             .value();
  EXPECT_EQ(session.Apply({{"pause_filter_count", "1000"}})->at("pause_filter_count"), "1000");
}

TEST_F(ParamSessionTest, ReportsAValueThatTheKernelDidNotTake) {
  ParamSession session = Begin();
  loader_->mangle = [](ParamValues& values) { values["ple_window"] = "0"; };
  const auto result = session.Apply({{"ple_window", "8192"}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(result.error().message, HasSubstr("ple_window is 0 instead of 8192"));
  EXPECT_TRUE(host_.JournalExists());
  loader_->mangle = [](ParamValues&) {};
  EXPECT_TRUE(session.Restore());
  EXPECT_EQ(Current(), originals_);
}

TEST_F(ParamSessionTest, ReportsAnotherParameterThatChanged) {
  ParamSession session = Begin();
  loader_->mangle = [](ParamValues& values) {
    values["ept"] = "N";
    values.erase("pml");
  };
  const auto result = session.Apply({{"ple_window", "8192"}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message,
              AllOf(HasSubstr("ept is N instead of Y"), HasSubstr("pml is not there any more")));
  loader_->mangle = [](ParamValues&) {};
}

TEST_F(ParamSessionTest, AFailedUnloadLeavesAllAsItWas) {
  ParamSession session = Begin();
  loader_->next_unload = Environment("busy");
  EXPECT_FALSE(session.Apply({{"ple_window", "8192"}}));
  EXPECT_EQ(Current(), originals_);
  EXPECT_EQ(session.reloads(), 0);
  EXPECT_TRUE(session.Restore());
  EXPECT_FALSE(host_.JournalExists());
}

TEST_F(ParamSessionTest, BringsTheModuleBackAfterAFailedLoad) {
  {
    ParamSession session = Begin();
    loader_->next_load = Environment("no memory");
    EXPECT_FALSE(session.Apply({{"ple_window", "8192"}}));
    EXPECT_FALSE(IsLoaded(host_.root(), KvmModule::kIntel));
  }
  EXPECT_EQ(Current(), originals_);
  EXPECT_FALSE(host_.JournalExists());
}

TEST_F(ParamSessionTest, GoesOnAfterAFailedLoad) {
  ParamSession session = Begin();
  loader_->next_load = Environment("no memory");
  EXPECT_FALSE(session.Apply({{"ple_window", "8192"}}));
  EXPECT_EQ(session.Apply({{"ple_window", "2048"}})->at("ple_window"), "2048");
}

TEST_F(ParamSessionTest, AFailedRestoreSaysSoAndKeepsTheJournal) {
  testing::internal::CaptureStderr();
  {
    ParamSession session = Begin();
    ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
    host_.Write("/sys/module/kvm_intel/refcnt", "1\n");
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("kvm_intel is not restored"), HasSubstr("plectl params restore")));
  EXPECT_TRUE(host_.JournalExists());
}

TEST_F(ParamSessionTest, WhatCouldNotBeLoadedAgainIsNotUnloaded) {
  ParamSession session = Begin();
  loader_->loadable = Environment("kvm_intel could not be loaded again");
  const auto applied = session.Apply({{"ple_window", "8192"}});
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message, HasSubstr("could not be loaded again"));
  EXPECT_FALSE(host_.JournalExists());
  EXPECT_TRUE(loader_->loads.empty());
  EXPECT_EQ(Current(), originals_);
}

TEST_F(ParamSessionTest, TheDeviceNodeIsPutBackAfterEachReload) {
  const auto device = host_.root().Path("/dev/kvm");
  ASSERT_EQ(::chmod(device.c_str(), 0666), 0);
  ParamSession session = Begin();
  loader_->on_step = [&](std::string_view step) {
    if (step == "after load") {
      EXPECT_EQ(::chmod(device.c_str(), 0600), 0);  // a new node
    }
  };
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  EXPECT_EQ(ReadDeviceNode(host_.root())->mode, 0666U);
  EXPECT_EQ(LoadJournal(host_.root()).value()->device->mode, 0666U);
  ASSERT_TRUE(session.Restore());
  EXPECT_EQ(ReadDeviceNode(host_.root())->mode, 0666U);
}

TEST_F(ParamSessionTest, ADeviceNodeThatCannotBePutBackIsReported) {
  ParamSession session = Begin();
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  host_.Remove("/dev/kvm");
  testing::internal::CaptureStderr();
  EXPECT_TRUE(session.Restore());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("/dev/kvm is not there"));
}

TEST_F(ParamSessionTest, WillNotChangeAnythingWithoutAJournal) {
  ParamSession session = Begin();
  // A folder in its place makes the journal unwritable, also for root.
  std::filesystem::create_directories(host_.root().Path(kJournalPath));
  EXPECT_FALSE(session.Apply({{"ple_window", "8192"}}));
  EXPECT_FALSE(session.Apply({{"ple_window", "8192"}}));
  EXPECT_TRUE(loader_->loads.empty());
  EXPECT_EQ(Current(), originals_);
}

}  // namespace
}  // namespace plectl::host
