// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kernel_fixes.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

struct Kernel {
  std::string release;
  std::string build;
  std::string last_boosted;
  std::string forfeit;
};

class KernelFixesTest : public testing::TestWithParam<Kernel> {};

TEST_P(KernelFixesTest, AreOnlyClaimedWhereTheVersionTells) {
  const auto version = UpstreamVersion(GetParam().release, GetParam().build);
  EXPECT_EQ(HasLastBoostedVcpuFix(version), GetParam().last_boosted);
  EXPECT_EQ(HasForfeitVruntimeOnYield(version), GetParam().forfeit);
}

INSTANTIATE_TEST_SUITE_P(
    All, KernelFixesTest,
    testing::Values(
        Kernel{"6.1.0-56-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
               "not_affected", "no"},
        Kernel{"6.6.119", "#1 SMP", "not_affected", "no"},
        Kernel{"6.6.120", "#1 SMP", "not_affected", "yes"},
        Kernel{"6.12.3", "#1 SMP", "not_affected", "no"},
        Kernel{"6.12.62", "#1 SMP", "not_affected", "no"},
        Kernel{"6.12.63", "#1 SMP", "not_affected", "yes"},
        Kernel{"6.12.95+deb12-cloud-amd64", "#1 SMP Debian 6.12.95-1~bpo12+1 (2026-11-01)",
               "not_affected", "yes"},
        Kernel{"6.17.12", "#1 SMP", "unknown", "no"}, Kernel{"6.17.13", "#1 SMP", "unknown", "yes"},
        Kernel{"6.12.0", "#1 SMP", "not_affected", "no"}, Kernel{"6.13.0", "#1 SMP", "no", "no"},
        Kernel{"6.18", "#1 SMP", "no", "no"}, Kernel{"6.16.1", "#1 SMP", "no", "no"},
        Kernel{"6.18.3", "#1 SMP", "unknown", "unknown"},
        Kernel{"6.18.0-rc7", "#1 SMP", "no", "no"}, Kernel{"6.19.0-rc1", "#1 SMP", "yes", "yes"},
        Kernel{"7.0.1", "#1 SMP", "yes", "yes"},
        // Vendors take changes back from later versions.
        Kernel{"5.14.0-503.el9.x86_64", "#1 SMP", "unknown", "unknown"},
        Kernel{"6.8.0-45-generic", "#45-Ubuntu SMP", "unknown", "unknown"},
        Kernel{"6.18.44-fc-v5", "#1 SMP", "unknown", "unknown"},
        Kernel{"", "", "unknown", "unknown"}, Kernel{"6", "Debian", "unknown", "unknown"},
        Kernel{"99999999999.1.1", "Debian 99999999999.1.1-1", "unknown", "unknown"}));

TEST(KernelFixes, KnowsWhoseStatisticLacksFastPathExits) {
  const auto counts = [](int major, int minor, int patch) {
    return CountsFastPathExits(KernelVersion{major, minor, patch});
  };
  EXPECT_EQ(counts(5, 10, 230), "no");
  EXPECT_EQ(counts(5, 15, 116), "no");
  EXPECT_EQ(counts(5, 15, 117), "yes");
  EXPECT_EQ(counts(6, 1, 33), "no");
  EXPECT_EQ(counts(6, 1, 34), "yes");
  EXPECT_EQ(counts(6, 3, 13), "no");
  EXPECT_EQ(counts(6, 4, 0), "yes");
  EXPECT_EQ(CountsFastPathExits(std::nullopt), "unknown");
}

TEST(KernelFixes, ComparesReleasesOfVendorsToo) {
  const FakeHost host("intel_ple");
  const auto is_before = [&](std::string_view release, int major, int minor) {
    host.Write("/proc/sys/kernel/osrelease", release);
    return IsKernelBefore(host.root(), major, minor);
  };
  EXPECT_TRUE(is_before("5.14.0-503.el9.x86_64\n", 6, 1));
  EXPECT_FALSE(is_before("6.1.0-56-cloud-amd64\n", 6, 1));
  EXPECT_FALSE(is_before("7.3.4+deb13-cloud-amd64\n", 6, 1));
  EXPECT_FALSE(is_before("6.12\n", 6, 1));
  EXPECT_TRUE(is_before("garbage\n", 6, 1));
}

TEST(KernelFixes, OnlyApicvHasFastPathsThatNobodyCounts) {
  const FakeHost host("intel_ple");  // Linux 6.1.192
  constexpr std::string_view kApicv = "/sys/module/kvm_intel/parameters/enable_apicv";
  host.Write(kApicv, "Y\n");
  EXPECT_FALSE(KvmLacksFastPathExits(host.root(), KvmModule::kIntel));
  host.Write("/proc/sys/kernel/osrelease", "6.1.20\n");
  EXPECT_TRUE(KvmLacksFastPathExits(host.root(), KvmModule::kIntel));
  host.Write(kApicv, "N\n");
  EXPECT_FALSE(KvmLacksFastPathExits(host.root(), KvmModule::kIntel));
}

TEST(UpstreamVersion, TakesDebiansWord) {
  const auto version = UpstreamVersion("6.12.9+bpo-amd64", "#1 SMP Debian 6.12.9-1~bpo12+1");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->major, 6);
  EXPECT_EQ(version->minor, 12);
  EXPECT_EQ(version->patch, 9);
}

}  // namespace
}  // namespace plectl::host
