// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/thread_clocks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

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

}  // namespace
}  // namespace plectl::guests
