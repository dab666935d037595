// SPDX-License-Identifier: Apache-2.0
// What `plectl params restore` does, above all after a plectl that was killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "host_tools/host/host_lock.h"
#include "host_tools/host/param_session.h"
#include "host_tools/host/persisted_params.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

// The kernel's own default differs from the host's value, so a plain load would not pass.
const ParamValues kKernelDefaults = {{"ple_window", "7777"}, {"nested", "N"}};

class ParamRestoreTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<FakeLoader> Loader() const {
    return std::make_unique<FakeLoader>(recorded_, KvmModule::kIntel, kKernelDefaults,
                                        host_.root());
  }
  [[nodiscard]] ParamValues Current() const {
    return ReadParams(host_.root(), KvmModule::kIntel).value();
  }
  [[nodiscard]] Result<RestoreOutcome> Restore() const {
    return RestoreFromJournal(host_.root(), *Loader());
  }
  // Leaves values and journal behind as `plectl params set` does.
  void Set(const ParamValues& values) const {
    auto session = ParamSession::Begin(host_.root(), KvmModule::kIntel, Loader()).value();
    ASSERT_TRUE(session.Apply(values));
    session.KeepJournal();
  }
  void ExpectRestored() const {
    const auto outcome = Restore();
    ASSERT_TRUE(outcome) << outcome.error().Text();
    EXPECT_EQ(Current(), originals_);
    EXPECT_FALSE(host_.JournalExists());
    EXPECT_FALSE(Restore()->restored);
    EXPECT_TRUE(ParamSession::Begin(host_.root(), KvmModule::kIntel, Loader()));
  }

  const FakeHost recorded_{"intel_ple"};
  const FakeHost host_{"intel_ple"};
  const ParamValues originals_ = Current();
};

TEST_F(ParamRestoreTest, HasNothingToDoOnACleanHost) {
  const RestoreOutcome outcome = Restore().value();
  EXPECT_FALSE(outcome.restored);
  EXPECT_TRUE(outcome.values.empty());
}

TEST_F(ParamRestoreTest, BringsBackWhatSetChanged) {
  Set({{"ple_window", "8192"}, {"nested", "N"}});
  EXPECT_EQ(Current().at("ple_window"), "8192");
  const RestoreOutcome outcome = Restore().value();
  EXPECT_TRUE(outcome.restored);
  EXPECT_EQ(outcome.module, KvmModule::kIntel);
  EXPECT_EQ(outcome.values, originals_);
  ExpectRestored();
}

TEST_F(ParamRestoreTest, LoadsAModuleThatIsNotThere) {
  Set({{"ple_window", "8192"}});
  host_.Remove("/sys/module/kvm_intel");
  ExpectRestored();
}

TEST_F(ParamRestoreTest, DoesNotReloadWhatIsRightAlready) {
  Set({{"ple_window", "8192"}});
  host_.Write("/sys/module/kvm_intel/parameters/ple_window", "4096\n");
  const auto loader = Loader();
  EXPECT_TRUE(RestoreFromJournal(host_.root(), *loader)->restored);
  EXPECT_TRUE(loader->loads.empty());
  EXPECT_FALSE(host_.JournalExists());
}

TEST_F(ParamRestoreTest, KeepsTheJournalWhileTheModuleIsBusy) {
  Set({{"ple_window", "8192"}});
  host_.Write("/sys/module/kvm_intel/refcnt", "1\n");
  const auto outcome = Restore();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kEnvironment);
  EXPECT_TRUE(host_.JournalExists());
  host_.Write("/sys/module/kvm_intel/refcnt", "0\n");
  ExpectRestored();
}

TEST_F(ParamRestoreTest, KeepsTheJournalWhenTheKernelTakesOtherValues) {
  Set({{"ple_window", "8192"}});
  const auto loader = Loader();
  loader->mangle = [](ParamValues& values) { values["ept"] = "N"; };
  const auto outcome = RestoreFromJournal(host_.root(), *loader);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("ept is N instead of Y"));
  EXPECT_TRUE(host_.JournalExists());
  ExpectRestored();
}

TEST_F(ParamRestoreTest, OnlyClearsTheJournalOfAnEarlierBoot) {
  Set({{"ple_window", "8192"}});
  host_.Write("/proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000000\n");
  host_.Write("/sys/module/kvm_intel/parameters/ple_window", "512\n");  // modprobe.d was edited
  EXPECT_FALSE(CheckJournalClean(host_.root()));
  const auto loader = Loader();
  const RestoreOutcome outcome = RestoreFromJournal(host_.root(), *loader).value();
  EXPECT_TRUE(outcome.restored);
  EXPECT_THAT(outcome.note, HasSubstr("booted since"));
  EXPECT_THAT(outcome.note, HasSubstr("ple_window is 512 instead of 4096"));
  EXPECT_TRUE(loader->loads.empty());
  EXPECT_FALSE(host_.JournalExists());
}

TEST_F(ParamRestoreTest, NeverGuessesAtADamagedJournal) {
  Set({{"ple_window", "8192"}});
  host_.Write(kJournalPath, "{\"schema\": 1}");
  const auto outcome = Restore();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("damaged"));
  EXPECT_EQ(Current().at("ple_window"), "8192");
  EXPECT_TRUE(host_.JournalExists());
}

// The files of /var/lib/plectl as a crash between the two steps of CloseJournal() leaves them.
TEST_F(ParamRestoreTest, ClearsAJournalWhoseOriginalsWereBack) {
  Set({{"ple_window", "8192"}});
  ParamJournal journal = LoadJournal(host_.root()).value().value();
  host_.Write("/sys/module/kvm_intel/parameters/ple_window", "4096\n");
  host_.Write("/sys/module/kvm_intel/parameters/nested", "Y\n");
  journal.state = ParamJournal::State::kRestored;
  ASSERT_TRUE(WriteJournal(host_.root(), journal));
  const auto loader = Loader();
  EXPECT_TRUE(RestoreFromJournal(host_.root(), *loader)->restored);
  EXPECT_TRUE(loader->loads.empty());
  ExpectRestored();
}

// What the journal says of itself is not believed: the module is looked at.
TEST_F(ParamRestoreTest, BringsBackWhatAJournalSaysIsBackAlready) {
  Set({{"ple_window", "8192"}});
  ParamJournal journal = LoadJournal(host_.root()).value().value();
  journal.state = ParamJournal::State::kRestored;
  ASSERT_TRUE(WriteJournal(host_.root(), journal));
  ExpectRestored();
}

TEST_F(ParamRestoreTest, LeavesTheJournalOfAnotherMachineAndTheModuleAlone) {
  host_.Write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  Set({{"ple_window", "8192"}});
  const std::string boot_id = host_.Read("/proc/sys/kernel/random/boot_id");
  host_.Write("/etc/machine-id", "fedcba9876543210fedcba9876543210\n");
  host_.Write("/proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000000\n");
  const auto loader = Loader();
  const auto outcome = RestoreFromJournal(host_.root(), *loader);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(outcome.error().message, HasSubstr("of another host"));
  EXPECT_TRUE(loader->loads.empty());
  EXPECT_TRUE(host_.JournalExists());
  EXPECT_FALSE(ParamSession::Begin(host_.root(), KvmModule::kIntel, Loader()));
  host_.Write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  host_.Write("/proc/sys/kernel/random/boot_id", boot_id);
  ExpectRestored();
}

TEST_F(ParamRestoreTest, TheJournalPassesThroughItsStates) {
  std::vector<ParamJournal::State> states;
  const auto note = [&](std::string_view step) {
    if (step == "before unload") states.push_back(LoadJournal(host_.root()).value()->state);
  };
  auto loader = Loader();
  loader->on_step = note;
  auto session = ParamSession::Begin(host_.root(), KvmModule::kIntel, std::move(loader)).value();
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  ASSERT_TRUE(session.Restore());
  ASSERT_TRUE(session.Apply({{"ple_window", "1024"}}));
  ASSERT_TRUE(session.Restore());
  using enum ParamJournal::State;
  EXPECT_THAT(states, testing::ElementsAre(kPlanned, kApplied, kPlanned, kApplied));
  EXPECT_FALSE(host_.JournalExists());
}

TEST_F(ParamRestoreTest, LeavesWhatSomebodyElseHasLoadedSince) {
  Set({{"ple_window", "8192"}});
  const auto theirs = Loader();
  ASSERT_TRUE(theirs->Unload(KvmModule::kIntel));
  ASSERT_TRUE(theirs->Load(KvmModule::kIntel, {{"ple_gap", "77"}}));
  const auto loader = Loader();
  const RestoreOutcome outcome = RestoreFromJournal(host_.root(), *loader).value();
  EXPECT_THAT(outcome.note, HasSubstr("was loaded anew by something else"));
  EXPECT_THAT(outcome.note, HasSubstr("ple_gap is 77 instead of 128"));
  EXPECT_TRUE(loader->loads.empty());
  EXPECT_FALSE(host_.JournalExists());
}

// Its note of the load would not be there after a SIGKILL between the load and the note.
TEST_F(ParamRestoreTest, TakesALoadWithoutANoteForItsOwn) {
  Set({{"ple_window", "8192"}});
  host_.Remove("/run/plectl");
  ExpectRestored();
}

TEST_F(ParamRestoreTest, UnloadsNothingThatCouldNotBeLoadedAgain) {
  Set({{"ple_window", "8192"}});
  const auto loader = Loader();
  loader->loadable = Environment("kvm_intel could not be loaded again");
  EXPECT_FALSE(RestoreFromJournal(host_.root(), *loader));
  EXPECT_TRUE(loader->loads.empty());
  EXPECT_TRUE(host_.JournalExists());
  ExpectRestored();
}

TEST_F(ParamRestoreTest, PutsTheDeviceNodeBack) {
  const auto device = host_.root().Path("/dev/kvm");
  ASSERT_EQ(::chmod(device.c_str(), 0660), 0);
  Set({{"ple_window", "8192"}});
  ASSERT_EQ(::chmod(device.c_str(), 0600), 0);  // a new node, of a plectl that was killed
  ExpectRestored();
  EXPECT_EQ(ReadDeviceNode(host_.root())->mode, 0660U);
}

TEST_F(ParamRestoreTest, ChangesNothingWhileAnotherPlectlIsAtWork) {
  Set({{"ple_window", "8192"}});
  host_.Write(kPersistedPath,
              "# Written by plectl params set --persist\noptions kvm_intel ple_window=8192\n");
  const auto lock = HostLock::Acquire(host_.root());
  ASSERT_TRUE(lock);
  const auto outcome = Restore();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("another plectl"));
  EXPECT_TRUE(host_.root().Exists(kPersistedPath));
}

// Two changes and the way back: each looks whether the module could be loaded, unloads and loads,
// with a step before and after.
constexpr int kStepsOfSession = 15;
constexpr int kStepsOfRestore = 5;

class CrashTest : public ParamRestoreTest, public testing::WithParamInterface<int> {
 protected:
  void RunSession(std::unique_ptr<FakeLoader> loader) const {
    auto session = ParamSession::Begin(host_.root(), KvmModule::kIntel, std::move(loader)).value();
    for (const char* window : {"8192", "1024"}) {
      if (!session.Apply({{"ple_window", window}})) ::_exit(2);
    }
    if (!session.Restore()) ::_exit(3);
  }
};

class CrashInSessionTest : public CrashTest {};

TEST_P(CrashInSessionTest, IsUndoneByRestore) {
  RunAndCrash(Loader(), GetParam(), [this](auto loader) { RunSession(std::move(loader)); });
  EXPECT_EQ(host_.JournalExists(), GetParam() > 1);  // the first step comes before it
  ExpectRestored();
}

INSTANTIATE_TEST_SUITE_P(EveryStep, CrashInSessionTest, testing::Range(1, kStepsOfSession + 1));

class CrashInRestoreTest : public CrashTest {};

TEST_P(CrashInRestoreTest, IsUndoneByTheNextRestore) {
  Set({{"ple_window", "8192"}});
  RunAndCrash(Loader(), GetParam(), [this](auto loader) {
    static_cast<void>(RestoreFromJournal(host_.root(), *loader).has_value());
  });
  EXPECT_TRUE(host_.JournalExists());
  ExpectRestored();
}

INSTANTIATE_TEST_SUITE_P(EveryStep, CrashInRestoreTest, testing::Range(1, kStepsOfRestore + 1));

// SIGKILL at moments that no step marks: inside the journal's writing and removal, too.
TEST_F(CrashTest, SigkillAtRandomMomentsIsUndoneByRestore) {
  std::mt19937 random(20240601);
  std::uniform_int_distribution<useconds_t> delay_us(0, 15'000);
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      while (true) RunSession(Loader());
    }
    ::usleep(delay_us(random));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ExpectRestored();
  }
}

}  // namespace
}  // namespace plectl::host
