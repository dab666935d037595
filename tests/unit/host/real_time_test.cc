// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/real_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

TEST(RealTime, NothingIsSaidWhereTheKernelThrottles) {
  const FakeHost host("intel_ple");
  host.Write("/proc/sys/kernel/sched_rt_runtime_us", "950000\n");
  EXPECT_EQ(WarningOfFifo(host.root(), 3'600'000).value(), "");
}

TEST(RealTime, WhereItDoesNotADeadlineIsWarnedOfAndBounded) {
  const FakeHost host("intel_ple");
  host.Write("/proc/sys/kernel/sched_rt_runtime_us", "-1\n");
  EXPECT_THAT(WarningOfFifo(host.root(), 10'000).value(), HasSubstr("for 10 s"));
  const auto refused = WarningOfFifo(host.root(), 60'001);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().hint, HasSubstr("deadline_ms of at most 60000"));
}

}  // namespace
}  // namespace plectl::host
