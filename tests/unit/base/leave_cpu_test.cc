// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/leave_cpu.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <thread>

namespace plectl {
namespace {

long TimesLeft() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

// How often the CPU was not left in a thousand calls by a thread whose timers may be that late.
int TimesStayed(unsigned long timer_slack_ns) {
  int stayed = 0;
  std::thread([&] {
    ::prctl(PR_SET_TIMERSLACK, timer_slack_ns);
    for (int i = 0; i < 1000; ++i) {
      const long before = TimesLeft();
      LeaveCpu();
      if (TimesLeft() == before) ++stayed;
    }
  }).join();
  return stayed;
}

TEST(LeaveCpu, LeavesEachTime) {
  constexpr unsigned long kDefaultSlackNs = 50'000;
  EXPECT_EQ(TimesStayed(kDefaultSlackNs), 0);
}

// A real-time thread's timers have no slack: a sleep of 1 us has ended before it began.
TEST(LeaveCpu, LeavesEachTimeWithoutTimerSlack) { EXPECT_EQ(TimesStayed(1), 0); }

}  // namespace
}  // namespace plectl
