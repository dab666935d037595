// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <numeric>

namespace plectl::host {
namespace {

using ::testing::HasSubstr;

TEST(ArmVcpus, ArmsExactlyTheseThreads) {
  ArmedVcpus armed{};
  armed.known_vcpus[1] = 0xdead;
  const pid_t tids[] = {101, 102};
  ASSERT_TRUE(ArmVcpus(100, tids, armed));
  EXPECT_EQ(armed.vcpus, 2U);
  EXPECT_EQ(armed.tgid, 100);
  EXPECT_EQ(armed.tids[1], 102);
  EXPECT_EQ(armed.known_vcpus[1], 0U);
  DisarmVcpus(armed);
  EXPECT_EQ(armed.vcpus, 0U);
}

TEST(ArmVcpus, RefusesMoreThanItHasRoomFor) {
  ArmedVcpus armed{};
  std::vector<pid_t> tids(kMaxVcpus);
  std::iota(tids.begin(), tids.end(), 1);
  EXPECT_TRUE(ArmVcpus(1, tids, armed));
  tids.push_back(999);
  const Status status = ArmVcpus(1, tids, armed);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().Text(), HasSubstr("65 vCPUs: at most 64"));
}

TEST(BpfFailure, ANotAllowedOneSaysWhatItNeeds) {
  const LibbpfLog log;
  EXPECT_THAT(BpfFailure("load it", EPERM, log).value().Text(), HasSubstr("CAP_BPF"));
  EXPECT_THAT(BpfFailure("load it", EINVAL, log).value().Text(), HasSubstr("perf observers"));
}

TEST(OwnPidNamespace, IsTheOneOfThisProcess) {
  const auto own = OwnPidNamespace(HostRoot());
  ASSERT_TRUE(own) << own.error().Text();
  EXPECT_NE(own->inode, 0U);
}

}  // namespace
}  // namespace plectl::host
