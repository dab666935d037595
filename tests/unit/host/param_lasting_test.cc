// SPDX-License-Identifier: Apache-2.0
// What `plectl params set --persist` makes to last, and how `plectl params restore` undoes it, also
// after a reboot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/host/param_session.h"
#include "host_tools/host/persisted_params.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

constexpr int kStepsOfRestore = 5;

// What `params set --persist` made to last, and a reboot.
class LastingTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<FakeLoader> Loader() const {
    return std::make_unique<FakeLoader>(recorded_, KvmModule::kIntel, ParamValues{}, host_.root());
  }
  [[nodiscard]] ParamValues Current() const {
    return ReadParams(host_.root(), KvmModule::kIntel).value();
  }
  [[nodiscard]] Result<RestoreOutcome> Restore() const {
    return RestoreFromJournal(host_.root(), *Loader());
  }
  void SetUp() override {
    auto session = ParamSession::Begin(host_.root(), KvmModule::kIntel, Loader()).value();
    const ParamValues values = {{"ple_window", "8192"}, {"ple_gap", "0"}};
    auto staged =
        StagedPersistence::Stage(host_.root(), KvmModule::kIntel, values, session.originals());
    ASSERT_TRUE(staged);
    ASSERT_TRUE(session.Apply(values));
    session.KeepJournal();
    ASSERT_TRUE(staged->Commit());
  }
  // modprobe loads with what lasts; /run is empty.
  void Reboot() const {
    host_.Write("/proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000000\n");
    host_.Remove("/run/plectl");
  }
  void ExpectNothingLasts() const {
    EXPECT_FALSE(host_.root().Exists(kPersistedPath));
    EXPECT_FALSE(host_.root().Exists(kPersistedRecordPath));
    EXPECT_FALSE(host_.JournalExists());
  }

  const FakeHost recorded_{"intel_ple"};
  const FakeHost host_{"intel_ple"};
  const ParamValues originals_ = Current();
};

TEST_F(LastingTest, IsUndoneInTheSameBoot) {
  const RestoreOutcome outcome = Restore().value();
  EXPECT_TRUE(outcome.removed_file);
  EXPECT_EQ(Current(), originals_);
  ExpectNothingLasts();
}

TEST_F(LastingTest, IsUndoneAfterAReboot) {
  Reboot();
  const RestoreOutcome outcome = Restore().value();
  EXPECT_TRUE(outcome.restored);
  EXPECT_FALSE(outcome.not_originals);
  EXPECT_EQ(Current(), originals_);
  ExpectNothingLasts();
}

TEST_F(LastingTest, IsUndoneAfterTheBootServiceHasRun) {
  Reboot();
  ASSERT_TRUE(RestoreFromJournal(host_.root(), *Loader(), {.keep_persisted = true}));
  EXPECT_EQ(Current().at("ple_window"), "8192");
  EXPECT_TRUE(host_.root().Exists(kPersistedPath));
  EXPECT_FALSE(host_.JournalExists());
  ASSERT_TRUE(Restore());
  EXPECT_EQ(Current(), originals_);
  ExpectNothingLasts();
}

TEST_F(LastingTest, IsTriedAgainWhileTheModuleIsBusy) {
  Reboot();
  host_.Write("/sys/module/kvm_intel/refcnt", "1\n");
  EXPECT_FALSE(Restore());
  EXPECT_FALSE(host_.root().Exists(kPersistedPath));
  host_.Write("/sys/module/kvm_intel/refcnt", "0\n");
  ASSERT_TRUE(Restore());
  EXPECT_EQ(Current(), originals_);
  ExpectNothingLasts();
}

TEST_F(LastingTest, IsGoneByItselfOnceTheModuleWasLoadedWithoutIt) {
  Reboot();
  host_.Write("/sys/module/kvm_intel/parameters/ple_window", "4096\n");
  host_.Write("/sys/module/kvm_intel/parameters/ple_gap", "128\n");
  const auto loader = Loader();
  const RestoreOutcome outcome = RestoreFromJournal(host_.root(), *loader).value();
  EXPECT_FALSE(outcome.not_originals);
  EXPECT_TRUE(loader->loads.empty());
  ExpectNothingLasts();
}

TEST_F(LastingTest, WhatSomebodyElseMadeOfItIsLeftAndSaid) {
  Reboot();
  host_.Write("/sys/module/kvm_intel/parameters/ple_window", "512\n");
  const RestoreOutcome outcome = Restore().value();
  EXPECT_TRUE(outcome.not_originals);
  EXPECT_THAT(outcome.note, HasSubstr("ple_window is 512 instead of 4096"));
  EXPECT_EQ(Current().at("ple_window"), "512");
  ExpectNothingLasts();
}

TEST_F(LastingTest, WithoutARecordItSaysWhatItDoesNotKnow) {
  Reboot();
  host_.Remove(kPersistedRecordPath);
  host_.Remove(kJournalPath);
  const RestoreOutcome outcome = Restore().value();
  EXPECT_TRUE(outcome.not_originals);
  EXPECT_THAT(outcome.note, HasSubstr("ple_gap=0 ple_window=8192"));
}

class CrashInLastingRestoreTest : public LastingTest, public testing::WithParamInterface<int> {};

TEST_P(CrashInLastingRestoreTest, IsUndoneByTheNextRestore) {
  Reboot();
  RunAndCrash(Loader(), GetParam(), [this](auto loader) {
    static_cast<void>(RestoreFromJournal(host_.root(), *loader).has_value());
  });
  ASSERT_TRUE(Restore());
  EXPECT_EQ(Current(), originals_);
  ExpectNothingLasts();
}

INSTANTIATE_TEST_SUITE_P(EveryStep, CrashInLastingRestoreTest,
                         testing::Range(1, kStepsOfRestore + 2));

}  // namespace
}  // namespace plectl::host
