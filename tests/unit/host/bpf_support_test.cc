// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <numeric>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ArmVcpus, ArmsExactlyTheseThreads) {
  ArmedVcpus armed{};
  std::vector<VcpuRow> rows(kMaxVcpus);
  const std::span<VcpuRow, kMaxVcpus> all_rows(rows);
  rows[1].vcpu = rows[5].task = 0xdead;
  rows[1].exits[40] = 7;
  const pid_t tids[] = {101, 102};
  ASSERT_TRUE(ArmVcpus(100, tids, armed, all_rows));
  EXPECT_EQ(armed.vcpus, 2U);
  EXPECT_EQ(armed.tgid, 100);
  EXPECT_EQ(armed.tids[1], 102);
  EXPECT_EQ(rows[1].vcpu, 0U);
  EXPECT_EQ(rows[5].task, 0U);
  rows[1].vcpu = 0xbeef;
  DisarmVcpus(armed, all_rows);
  EXPECT_EQ(armed.vcpus, 0U);
  EXPECT_EQ(rows[1].vcpu, 0U);
  EXPECT_EQ(rows[1].exits[40], 7U);
}

TEST(ArmVcpus, RefusesMoreThanItHasRoomFor) {
  ArmedVcpus armed{};
  std::vector<VcpuRow> rows(kMaxVcpus);
  const std::span<VcpuRow, kMaxVcpus> all_rows(rows);
  std::vector<pid_t> tids(kMaxVcpus);
  std::iota(tids.begin(), tids.end(), 1);
  EXPECT_TRUE(ArmVcpus(1, tids, armed, all_rows));
  tids.push_back(999);
  const Status status = ArmVcpus(1, tids, armed, all_rows);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().Text(), HasSubstr("65 vCPUs: at most 64"));
}

TEST(BpfFailure, ANotAllowedOneSaysWhatItNeeds) {
  const LibbpfLog log;
  const FakeHost host("intel_ple");
  const auto failure = [&](int error) {
    return BpfFailure(host.root(), "load it", error, log).value().Text();
  };
  EXPECT_THAT(failure(EPERM), HasSubstr("CAP_BPF"));
  EXPECT_THAT(failure(EINVAL), HasSubstr("perf observers"));
  host.Write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
  EXPECT_THAT(failure(EPERM), HasSubstr("lockdown=confidentiality"));
  EXPECT_THAT(failure(EPERM), Not(HasSubstr("run plectl as root")));
  host.Write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_THAT(failure(EPERM), Not(HasSubstr("lockdown")));
}

TEST(LibbpfLog, LeavesTheVerifiersLogOut) {
  const std::string text =
      "libbpf: prog 'on_entry': BPF program load failed: Permission denied\n"
      "libbpf: prog 'on_entry': -- BEGIN PROG LOAD LOG --\n"
      "0: R1=ctx(off=0,imm=0)\n"
      "invalid func unknown#195896080\n"
      "-- END PROG LOAD LOG --\n"
      "libbpf: failed to load object 'exit_counter'\n";
  EXPECT_EQ(WithoutVerifierLog(text),
            "libbpf: prog 'on_entry': BPF program load failed: Permission denied\n"
            "libbpf: failed to load object 'exit_counter'\n");
}

TEST(OwnPidNamespace, IsTheOneOfThisProcess) {
  const auto own = OwnPidNamespace(HostRoot());
  ASSERT_TRUE(own) << own.error().Text();
  EXPECT_NE(own->inode, 0U);
}

}  // namespace
}  // namespace plectl::host
