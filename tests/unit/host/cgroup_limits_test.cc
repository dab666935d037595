// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/cgroup_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kUnified =
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr std::string_view kHybrid =
    "30 24 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

class CgroupLimits : public ::testing::Test {
 protected:
  void Process(std::string_view cgroups) const { host_.Write("/proc/4242/cgroup", cgroups); }
  void Mounts(std::string_view text) const { host_.Write("/proc/self/mountinfo", text); }
  [[nodiscard]] CpuLimits Limits(std::string_view process = "4242") const {
    return CpuLimitsOf(host_.root(), process).value();
  }
  // "SETTING in CGROUP" of each quota.
  [[nodiscard]] std::vector<std::string> Quotas() const {
    std::vector<std::string> texts;
    for (const CpuQuota& quota : Limits().quotas) {
      texts.push_back(quota.setting + " in " + quota.cgroup.name);
    }
    return texts;
  }
  FakeHost host_{"intel_ple"};
};

TEST_F(CgroupLimits, OfVersion2AreThoseOfTheOwnCgroupAndAllAbove) {
  Mounts(kUnified);
  Process("0::/machine.slice/vm/vcpu0\n");
  host_.Write("/sys/fs/cgroup/machine.slice/vm/vcpu0/cpu.max", "max 100000\n");
  EXPECT_THAT(Quotas(), IsEmpty());
  EXPECT_EQ(Limits().unseen_because, "");
  host_.Write("/sys/fs/cgroup/machine.slice/vm/vcpu0/cpu.max", "70000 100000\n");
  host_.Write("/sys/fs/cgroup/machine.slice/cpu.max", "50000 100000\n");
  EXPECT_THAT(Quotas(), ElementsAre("cpu.max 70000 100000 in /machine.slice/vm/vcpu0",
                                    "cpu.max 50000 100000 in /machine.slice"));
}

// The fault of old: version 2 of such a host has no CPU controller, version 1 was not looked at.
TEST_F(CgroupLimits, OfAHybridHostAreThoseOfVersion1) {
  Mounts(kHybrid);
  Process("5:cpuset:/elsewhere\n4:cpu,cpuacct:/machine/qemu-1-web/vcpu0\n0::/machine.slice/vm\n");
  const std::string machine = "/sys/fs/cgroup/cpu,cpuacct/machine";
  host_.Write("/sys/fs/cgroup/cpu,cpuacct/release_agent", "");
  host_.Write(machine + "/qemu-1-web/vcpu0/cpu.cfs_quota_us", "-1\n");
  EXPECT_THAT(Quotas(), IsEmpty());
  EXPECT_EQ(Limits().unseen_because, "");
  host_.Write(machine + "/cpu.cfs_quota_us", "25000\n");
  host_.Write(machine + "/cpu.cfs_period_us", "100000\n");
  host_.Write(machine + "/qemu-1-web/vcpu0/cpu.cfs_quota_us", "5000\n");
  EXPECT_THAT(Quotas(), ElementsAre("cpu.cfs_quota_us 5000 of ? in /machine/qemu-1-web/vcpu0",
                                    "cpu.cfs_quota_us 25000 of 100000 in /machine"));
  EXPECT_EQ(Limits().quotas[1].cgroup.folder, machine);
}

TEST_F(CgroupLimits, OfAThreadAreItsOwn) {
  Mounts(kHybrid);
  Process("4:cpu,cpuacct:/\n");
  host_.Write("/proc/4242/task/4243/cgroup", "4:cpu,cpuacct:/t\n");
  host_.Write("/sys/fs/cgroup/cpu,cpuacct/t/cpu.cfs_quota_us", "5000\n");
  EXPECT_THAT(Quotas(), IsEmpty());
  EXPECT_EQ(Limits("4242/task/4243").quotas.size(), 1U);
}

TEST_F(CgroupLimits, AboveWhatAContainerIsShownAreUnknown) {
  // A cgroup namespace: the container's own cgroup looks like the root, but has the files of none.
  Mounts(kUnified);
  Process("0::/\n");
  host_.Write("/sys/fs/cgroup/cgroup.events", "populated 1\nfrozen 0\n");
  host_.Write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_THAT(Quotas(), ElementsAre("cpu.max 50000 100000 in /"));
  EXPECT_THAT(Limits().unseen_because, HasSubstr("above /sys/fs/cgroup are not shown"));
  Process("0::/../other\n");
  EXPECT_THAT(Quotas(), IsEmpty());
  EXPECT_THAT(Limits().unseen_because, HasSubstr("/../other"));
  // A mount of a part, as old container engines make it.
  Mounts("31 30 0:27 /docker/1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
  Process("4:cpu,cpuacct:/docker/1/sub\n");
  host_.Write("/sys/fs/cgroup/cpu/sub/cpu.cfs_quota_us", "5000\n");
  EXPECT_THAT(Quotas(), ElementsAre("cpu.cfs_quota_us 5000 of ? in /docker/1/sub"));
  EXPECT_THAT(Limits().unseen_because, HasSubstr("above /sys/fs/cgroup/cpu are not shown"));
  Process("4:cpu,cpuacct:/docker/11\n");
  EXPECT_THAT(Limits().unseen_because, HasSubstr("/docker/11"));
}

TEST_F(CgroupLimits, ThatAreNotUnderstoodAreUnknown) {
  Mounts(kUnified);
  Process("0::/a\n");
  host_.Write("/sys/fs/cgroup/a/cpu.max", "lots\n");
  EXPECT_THAT(Limits().unseen_because, HasSubstr("/sys/fs/cgroup/a/cpu.max holds \"lots\""));
  Process("4:cpu:/not/mounted\n0::/a\n");
  EXPECT_THAT(Limits().unseen_because, HasSubstr("/not/mounted"));
}

TEST_F(CgroupLimits, AreNoneWithoutCgroups) {
  Mounts("");
  Process("");
  EXPECT_THAT(Quotas(), IsEmpty());
  EXPECT_EQ(Limits().unseen_because, "");
  EXPECT_FALSE(CpuLimitsOf(host_.root(), "1").has_value());
}

TEST_F(CgroupLimits, MountsMayHaveAnyName) {
  Mounts("30 24 0:26 / /my\\040cgroups rw - cgroup2 none rw\n");
  Process("0::/a b\n");
  host_.Write("/my cgroups/a b/cpu.max", "1000 100000\n");
  EXPECT_THAT(Quotas(), ElementsAre("cpu.max 1000 100000 in /a b"));
}

TEST_F(CgroupLimits, OfOtherControllersOfVersion1CanBeFound) {
  Mounts(kHybrid);
  Process("5:cpuset:/vms\n0::/a\n");
  const auto cpuset = CgroupChainV1(host_.root(), "4242", "cpuset").value();
  ASSERT_TRUE(cpuset);
  EXPECT_EQ(cpuset->folders.front().folder, "/sys/fs/cgroup/cpuset/vms");
  EXPECT_FALSE(CgroupChainV1(host_.root(), "4242", "freezer").value());
  EXPECT_EQ(CgroupChainV2(host_.root(), "4242").value()->folders.front().folder,
            "/sys/fs/cgroup/unified/a");
}

TEST(CgroupLimitsOfThisProcess, CanBeRead) {
  const auto limits = CpuLimitsOf(HostRoot(), "self");
  ASSERT_TRUE(limits) << limits.error().message;
}

}  // namespace
}  // namespace plectl::host
