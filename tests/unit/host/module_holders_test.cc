// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_holders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kShort = std::chrono::milliseconds(20);

TEST(KvmFileHolders, FindsEachProcessOnce) {
  const auto holders = KvmFileHolders(FakeHost("intel_busy").root()).value();
  ASSERT_EQ(holders.size(), 1U);
  EXPECT_EQ(holders[0].pid, 4242);
  EXPECT_EQ(HolderText(holders[0]), "4242 (qemu-system-x86, /dev/kvm)");
}

TEST(KvmFileHolders, SeesAVmWithoutTheDeviceAndAProcessWithoutAName) {
  const FakeHost host("no_kvm");
  std::filesystem::create_directories(host.root().Path("/proc/77/fd"));
  std::filesystem::create_symlink("anon_inode:kvm-vcpu:3", host.root().Path("/proc/77/fd/9"));
  const auto holders = KvmFileHolders(host.root()).value();
  ASSERT_EQ(holders.size(), 1U);
  EXPECT_EQ(HolderText(holders[0]), "77 (?, kvm-vcpu:3)");
}

TEST(HolderText, NamesOurselves) {
  EXPECT_THAT(HolderText({::getpid(), {"x", "", false}, "kvm-vm"}), HasSubstr("plectl itself"));
}

TEST(TracingHolders, FindsPerfAndBpf) {
  const auto holders = TracingHolders(FakeHost("intel_busy").root()).value();
  ASSERT_EQ(holders.size(), 2U);
  EXPECT_EQ(HolderText(holders[0]), "4300 (pmdakvm, perf_event)");
  EXPECT_EQ(HolderText(holders[1]), "4301 (bpf_exporter, bpf-prog)");
}

TEST(ModuleReferences, ReadsTheCountAndRefusesNonsense) {
  EXPECT_EQ(*ModuleReferences(RecordedHost("intel_busy"), KvmModule::kIntel), 5U);
  EXPECT_EQ(*ModuleReferences(RecordedHost("intel_built_in"), KvmModule::kIntel), std::nullopt);
  const FakeHost host("intel_ple");
  host.Write("/sys/module/kvm_intel/refcnt", "-1\n");
  EXPECT_FALSE(ModuleReferences(host.root(), KvmModule::kIntel));
}

TEST(WaitUntilUnused, IsContentWithoutReferences) {
  EXPECT_TRUE(WaitUntilUnused(RecordedHost("intel_ple"), KvmModule::kIntel, kShort));
}

TEST(WaitUntilUnused, NamesTheVmOnly) {
  const FakeHost host("intel_busy");
  const Status status = WaitUntilUnused(host.root(), KvmModule::kIntel, kShort);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(
      status.error().message,
      AllOf(HasSubstr("kvm_intel is in use by 4242 (qemu-system-x86"), Not(HasSubstr("pmdakvm"))));
}

TEST(WaitUntilUnused, SuspectsTracersWhenNoKvmFileIsOpen) {
  const FakeHost host("intel_busy");
  host.Remove("/proc/4242");
  const Status status = WaitUntilUnused(host.root(), KvmModule::kIntel, kShort);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("5 references"), HasSubstr("4300 (pmdakvm"), HasSubstr("4301")));
  EXPECT_THAT(status.error().hint, HasSubstr("kvm_stat"));
}

TEST(WaitUntilUnused, WaitsForTheLastReferences) {
  const FakeHost host("intel_busy");
  std::thread closer([&host] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    host.Write("/sys/refcnt.new", "0\n");
    std::filesystem::rename(host.root().Path("/sys/refcnt.new"),
                            host.root().Path("/sys/module/kvm_intel/refcnt"));
  });
  const Status status = WaitUntilUnused(host.root(), KvmModule::kIntel, std::chrono::seconds(30));
  closer.join();
  EXPECT_TRUE(status);
}

}  // namespace
}  // namespace plectl::host
