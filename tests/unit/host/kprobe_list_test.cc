// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kprobe_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kList =
    "ffffffffc0a01230  k  handle_pause+0x0  kvm_intel [FTRACE]\n"
    "ffffffffc0a01990  r  vmx_vcpu_run+0x4  kvm_intel [DISABLED][FTRACE]\n"
    "ffffffffc0a05000  k  handle_cpuid+0x0  kvm_intel [GONE]\n"
    "ffffffffc0b01230  k  kvm_vcpu_on_spin+0x0  kvm [FTRACE]\n"
    "ffffffff8110aaaa  k  do_sys_open+0x0    [OPTIMIZED]\n";

TEST(KprobeList, NamesThoseThatAnUnloadWouldKill) {
  const FakeHost host("intel_ple");
  host.Write("/sys/kernel/debug/kprobes/list", kList);
  EXPECT_THAT(KprobesOn(host.root(), KvmModule::kIntel),
              ElementsAre("handle_pause+0x0", "vmx_vcpu_run+0x4"));
  EXPECT_THAT(KprobesOn(host.root(), KvmModule::kAmd), IsEmpty());
  const Status refused = CheckNoKprobesOn(host.root(), KvmModule::kIntel);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(refused.error().message,
              HasSubstr("2 kprobes on its functions would die: handle_pause+0x0, vmx_vcpu_run"));
}

TEST(KprobeList, IsQuietWithoutAny) {
  const FakeHost host("intel_ple");
  EXPECT_TRUE(CheckNoKprobesOn(host.root(), KvmModule::kIntel));
  for (const std::string_view text : {"", "\n\n", "garbage", "  \xff kvm_intel\n", "a b c"}) {
    host.Write("/sys/kernel/debug/kprobes/list", text);
    EXPECT_TRUE(CheckNoKprobesOn(host.root(), KvmModule::kIntel));
  }
}

TEST(KprobeList, TakesTracefsWhereDebugfsIsNotMounted) {
  const FakeHost host("intel_ple");
  host.Write("/sys/kernel/tracing/kprobe_events",
             "p:kprobes/mine kvm_intel:handle_pause\nr8:other/x do_sys_open\n");
  EXPECT_THAT(KprobesOn(host.root(), KvmModule::kIntel), ElementsAre("handle_pause"));
}

}  // namespace
}  // namespace plectl::host
