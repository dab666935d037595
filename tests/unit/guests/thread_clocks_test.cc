// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/thread_clocks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace plectl::guests {
namespace {

// A thread's stat, each field its own number but for field 43, the guest time.
std::string Stat(uint64_t guest_ticks) {
  std::string text = "77 (vcpu 0) R";
  for (int field = 4; field <= 52; ++field) {
    text += fmt::format(" {}", field == 43 ? guest_ticks : static_cast<uint64_t>(field));
  }
  return text + '\n';
}

TEST(ThreadClocks, GuestTimeIsInTicks) {
  EXPECT_EQ(GuestNsOf(Stat(9), 100), Count(90'000'000));
  EXPECT_FALSE(GuestNsOf("77 (x) R 1 1", 100).has_value());
  EXPECT_FALSE(GuestNsOf(Stat(9), -1).has_value());
}

TEST(ThreadClocks, RunDelayIsTheSecondOfSchedstat) {
  EXPECT_EQ(RunDelayNsOf("1000 250 3\n"), Count(250));
  EXPECT_EQ(RunDelayNsOf("1000 0 3\n"), Count(0));
  for (const char* const text : {"", "1000", "x y z", "0 0 0\n"}) {
    EXPECT_FALSE(RunDelayNsOf(text).has_value()) << text;
  }
}

TEST(ThreadClocks, DifferencesKeepTheReasonWhyTheyAreMissing) {
  const ThreadClocks begin{.guest_ns = 5, .run_delay_ns = Count::Missing("none")};
  const ThreadClocks end{.guest_ns = 7, .run_delay_ns = 9};
  EXPECT_EQ((end - begin).guest_ns, Count(2));
  EXPECT_EQ((end - begin).run_delay_ns, Count::Missing("none"));
  EXPECT_FALSE((begin - end).guest_ns.has_value());
}

TEST(ThreadClocks, NoGuestTimeInADozenTicksIsMissing) {
  EXPECT_EQ(CredibleGuestNs(0, 49'000'000), Count(0));
  EXPECT_EQ(CredibleGuestNs(10'000'000, 90'000'000), Count(10'000'000));
  EXPECT_EQ(CredibleGuestNs(0, 128'301'000),
            Count::Missing("the kernel gave none of the thread's 128 ms to the guest"));
}

TEST(ThreadClocks, AreReadOfThreadsOfThisProcess) {
  const pid_t tids[] = {::gettid(), 1 << 30};
  const auto clocks = ReadThreadClocks(tids);
  ASSERT_EQ(clocks.size(), 2U);
  EXPECT_TRUE(clocks[0].guest_ns.has_value());
  EXPECT_FALSE(clocks[1].guest_ns.has_value());
  EXPECT_FALSE(clocks[1].run_delay_ns.has_value());
}

TEST(StoppedNs, IsWhatNobodyAccountsFor) {
  EXPECT_EQ(StoppedNs(100, 60, Count(40), Count(0)), Count(0)) << "ran and waited";
  EXPECT_EQ(StoppedNs(100, 30, Count(20), Count(0)), Count(50)) << "SIGSTOP";
  EXPECT_EQ(StoppedNs(100, 30, Count(20), Count(50)), Count(0)) << "its guest was idle";
  EXPECT_EQ(StoppedNs(100, 60, Count(50), Count(0)), Count(0)) << "it waited after its end";
  EXPECT_EQ(StoppedNs(100, 130, Count(0), Count(0)), Count(0)) << "clocks differ";
  EXPECT_FALSE(StoppedNs(100, 30, Count::Missing("no"), Count(0)).has_value());
  EXPECT_FALSE(StoppedNs(100, 30, Count(0), Count::Missing("no")).has_value());
}

TEST(OwnRunDelay, IsThatOfTheThreadThatOpensIt) {
  const Count own = OwnRunDelay().Read();
  const std::vector<pid_t> self = {::gettid()};
  const Count read = ReadThreadClocks(self).front().run_delay_ns;
  ASSERT_EQ(own.has_value(), read.has_value());
  if (own.has_value()) {
    EXPECT_LE(own.value(), read.value());
  }
}

}  // namespace
}  // namespace plectl::guests
