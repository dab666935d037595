// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/param_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "host_tools/base/file.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

ParamJournal Example() {
  return {KvmModule::kAmd,
          "3865524b-c79f-4934-8574-76f81e677613",
          ParamJournal::State::kApplied,
          {{"pause_filter_count", "3000"}, {"vmentry_l1d_flush", "not required"}},
          4321,
          "2026-01-02T03:04:05Z",
          "0123456789abcdef0123456789abcdef"};
}

// The example with one piece of its text replaced.
std::string Changed(std::string_view from, std::string_view to) {
  std::string text = FormatJournal(Example());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(ParamJournal, RoundTrips) {
  const ParamJournal read = ParseJournal(FormatJournal(Example())).value();
  EXPECT_EQ(read.module, KvmModule::kAmd);
  EXPECT_EQ(read.boot_id, Example().boot_id);
  EXPECT_EQ(read.state, ParamJournal::State::kApplied);
  EXPECT_EQ(read.originals, Example().originals);
  EXPECT_EQ(read.pid, 4321);
  EXPECT_EQ(read.written_at, Example().written_at);
  EXPECT_EQ(read.machine_id, Example().machine_id);
}

TEST(ParamJournal, EveryStateHasItsName) {
  using State = ParamJournal::State;
  for (const auto& [state, name] :
       {std::pair(State::kPlanned, "planned"), std::pair(State::kApplied, "applied"),
        std::pair(State::kRestored, "restored")}) {
    ParamJournal journal = Example();
    journal.state = state;
    EXPECT_THAT(FormatJournal(journal), HasSubstr(std::string("\"state\": \"") + name + '"'));
    EXPECT_EQ(ParseJournal(FormatJournal(journal))->state, state);
  }
}

TEST(ParamJournal, ReadsOneOfAHostWithoutAMachineId) {
  ParamJournal journal = Example();
  journal.machine_id.clear();
  EXPECT_EQ(FormatJournal(journal).find("machine_id"), std::string::npos);
  EXPECT_EQ(ParseJournal(FormatJournal(journal))->machine_id, "");
}

class DamagedJournalTest : public testing::TestWithParam<std::string> {};

TEST_P(DamagedJournalTest, IsRefusedWithAWayOut) {
  const auto journal = ParseJournal(GetParam());
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(journal.error().message, HasSubstr("damaged parameter journal"));
  EXPECT_THAT(journal.error().hint, HasSubstr("then remove /var/lib/plectl/params.journal.json"));
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedJournalTest,
    testing::Values("", "{", "null", "[]", "7", "{}", std::string("\0\0\0\0", 4), "\xff\xfe",
                    FormatJournal(Example()).substr(0, 100), std::string(100'000, '['),
                    Changed("\"schema\": 1", "\"schema\": \"1\""),
                    Changed("\"kvm_amd\"", "\"kvm_evil\""), Changed("\"kvm_amd\"", "5"),
                    Changed("3865524b-c79f-4934-8574-76f81e677613", ""),
                    Changed("\"applied\"", "\"almost\""), Changed("4321", "-1"),
                    Changed("4321", "99999999999"), Changed("4321", "4321.5"),
                    Changed("\"3000\"", "3000"), Changed("pause_filter_count", "a b=c"),
                    Changed("pause_filter_count", ""), Changed("\"originals\"", "\"orignals\""),
                    Changed("\"written_at\"", "\"written\""),
                    Changed("\"0123456789abcdef0123456789abcdef\"", "7"),
                    Changed("0123456789abcdef0123456789abcdef", "db3"),
                    Changed("0123456789abcdef0123456789abcdef", "")));

TEST(ParamJournal, RefusesEmptyOriginals) {
  ParamJournal journal = Example();
  journal.originals.clear();
  EXPECT_FALSE(ParseJournal(FormatJournal(journal)));
}

TEST(ParamJournal, RefusesALaterSchemaWithoutGuessing) {
  const auto journal = ParseJournal(Changed("\"schema\": 1", "\"schema\": 2"));
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message, HasSubstr("has schema 2, this plectl knows 1"));
}

TEST(LoadJournal, IsCleanWithoutAFileOrItsFolder) {
  const FakeHost host("no_kvm");
  EXPECT_EQ(LoadJournal(host.root()).value(), std::nullopt);
  EXPECT_TRUE(CheckJournalClean(host.root()));
  EXPECT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  EXPECT_TRUE(CheckJournalClean(host.root()));
}

TEST(LoadJournal, IgnoresTheRestOfAnInterruptedWrite) {
  const FakeHost host("no_kvm");
  host.Write("/var/lib/plectl/params.journal.json.tmp", "{\"schema\": 1, \"mod");
  EXPECT_TRUE(CheckJournalClean(host.root()));
  ASSERT_TRUE(WriteJournal(host.root(), Example()));
  EXPECT_EQ(LoadJournal(host.root()).value()->pid, 4321);
}

TEST(LoadJournal, DoesNotTakeAnUnreadableOneForClean) {
  const FakeHost host("no_kvm");
  std::filesystem::create_directories(host.root().Path(kJournalPath));  // read() gives EISDIR
  EXPECT_FALSE(LoadJournal(host.root()));
  EXPECT_FALSE(CheckJournalClean(host.root()));
}

TEST(Journal, KeepsWhatTheDeviceNodeWas) {
  ParamJournal journal = Example();
  journal.device = DeviceNode{0, 106, 0660, {{"system.posix_acl_access", "0200000001"}}};
  EXPECT_EQ(ParseJournal(FormatJournal(journal))->device, journal.device);
  EXPECT_EQ(ParseJournal(FormatJournal(Example()))->device, std::nullopt);
}

TEST(LoadJournal, NamesTheDamagedFile) {
  const FakeHost host("no_kvm");
  host.Write(kJournalPath, "garbage");
  const auto journal = LoadJournal(host.root());
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message, HasSubstr(host.root().Path(kJournalPath).string()));
}

TEST(LoadJournal, RefusesOneOfAnotherMachine) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  ASSERT_TRUE(WriteJournal(host.root(), Example()));
  host.Write("/etc/machine-id", "ffffffffffffffffffffffffffffffff\n");
  const auto journal = LoadJournal(host.root());
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(journal.error().message, HasSubstr("of another host"));
  EXPECT_THAT(journal.error().message, HasSubstr(Example().machine_id));
  EXPECT_THAT(journal.error().hint, HasSubstr("remove /var/lib/plectl/params.journal.json"));
  EXPECT_FALSE(CheckJournalClean(host.root()));
}

TEST(LoadJournal, TakesOneOfThisMachineOrOfNoneThatIsKnown) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  ASSERT_TRUE(WriteJournal(host.root(), Example()));
  for (const std::string_view id :
       {"0123456789abcdef0123456789abcdef\n", "uninitialized\n", ""}) {  // machine-id(5)
    host.Write("/etc/machine-id", id);
    EXPECT_TRUE(LoadJournal(host.root())) << id;
  }
  ParamJournal unknown = Example();
  unknown.machine_id.clear();
  ASSERT_TRUE(WriteJournal(host.root(), unknown));
  host.Write("/etc/machine-id", "ffffffffffffffffffffffffffffffff\n");
  EXPECT_TRUE(LoadJournal(host.root()));
}

TEST(CloseJournal, RemovesAlsoWhatCannotBeMarkedFirst) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  ASSERT_TRUE(WriteJournal(host.root(), Example()));
  // Nothing can be written, as on a full disk.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit none{0, before.rlim_max};
  auto* const handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  ParamJournal journal = Example();
  const Status unwritten = WriteJournal(host.root(), journal);
  const Status closed = CloseJournal(host.root(), journal);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_TRUE(closed);
  ASSERT_FALSE(unwritten);
  EXPECT_THAT(unwritten.error().message,
              HasSubstr(host.root().Path(kJournalPath).string() + ": write of"));
  EXPECT_FALSE(unwritten.error().hint.empty());
  EXPECT_FALSE(host.JournalExists());
  EXPECT_EQ(journal.state, ParamJournal::State::kRestored);
}

TEST(WriteJournal, IsForItsOwnerOnlyAndClearedForGood) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  ASSERT_TRUE(WriteJournal(host.root(), Example()));
  struct stat status {};
  ASSERT_EQ(::stat(host.root().Path(kJournalPath).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_TRUE(ClearJournal(host.root()));
  EXPECT_FALSE(host.JournalExists());
  EXPECT_TRUE(ClearJournal(host.root()));
}

TEST(CheckJournalClean, SaysWhoAndWhatToDo) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  ASSERT_TRUE(WriteJournal(host.root(), Example()));
  const Status status = CheckJournalClean(host.root());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(status.error().message, HasSubstr("PID 4321"));
  EXPECT_EQ(status.error().hint, "sudo plectl params restore");
}

TEST(CheckJournalClean, DoesNotCallTheOriginalsMissingWhenTheyAreBack) {
  const FakeHost host("no_kvm");
  ASSERT_TRUE(MakeDirectories(host.root().Path("/var/lib/plectl")));
  ParamJournal journal = Example();
  journal.state = ParamJournal::State::kRestored;
  ASSERT_TRUE(WriteJournal(host.root(), journal));
  const Status status = CheckJournalClean(host.root());
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("are restored, but their journal is still there"));
  EXPECT_EQ(status.error().hint, "sudo plectl params restore");
}

}  // namespace
}  // namespace plectl::host
