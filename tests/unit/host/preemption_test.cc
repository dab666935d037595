// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/preemption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::StartsWith;

constexpr char kChoices[] = "/sys/kernel/debug/sched/preempt";
constexpr char kVersion[] = "/proc/sys/kernel/version";

TEST(Preemption, IsWhatTheKernelHasChosen) {
  const FakeHost host("intel_ple");
  host.Write(kChoices, "none (voluntary) full \n");  // Linux 6.1, as Debian builds it
  EXPECT_EQ(PreemptionOf(host.root()), "voluntary");
  EXPECT_FALSE(MayPreemptItself(host.root()));
  host.Write(kChoices, "(none) voluntary full \n");
  EXPECT_FALSE(MayPreemptItself(host.root()));
  host.Write(kChoices, "full (lazy) \n");  // Linux 7.2 knows no others on x86
  EXPECT_EQ(PreemptionOf(host.root()), "lazy");
  EXPECT_TRUE(MayPreemptItself(host.root()));
  host.Write(kChoices, "none voluntary (full) \n");
  EXPECT_TRUE(MayPreemptItself(host.root()));
}

TEST(Preemption, IsInTheNameOfAKernelThatCannotChangeIt) {
  const FakeHost host("intel_ple");
  host.Write(kVersion, "#1 SMP Debian 5.10.1-1 (2021-01-01)\n");
  EXPECT_EQ(PreemptionOf(host.root()), "none");
  EXPECT_FALSE(MayPreemptItself(host.root()));
  host.Write(kVersion, "#1 SMP PREEMPT Debian 5.10.1-1 (2021-01-01)\n");
  EXPECT_EQ(PreemptionOf(host.root()), "full");
  host.Write(kVersion, "#1 SMP PREEMPT_RT Debian 6.1.1-1 (2023-01-01)\n");
  EXPECT_TRUE(MayPreemptItself(host.root()));
  host.Write(kVersion, "#1 SMP PREEMPT_LAZY Debian 7.2.1-1 (2026-10-01)\n");
  EXPECT_EQ(PreemptionOf(host.root()), "lazy");
}

TEST(Preemption, IsFearedWhereItIsNotKnown) {
  const FakeHost host("intel_ple");
  host.Write(kVersion, "#1 SMP PREEMPT_DYNAMIC Debian 7.2.13-1 (2026-11-20)\n");
  EXPECT_THAT(PreemptionOf(host.root()), StartsWith("unknown"));
  EXPECT_TRUE(MayPreemptItself(host.root()));
}

}  // namespace
}  // namespace plectl::host
