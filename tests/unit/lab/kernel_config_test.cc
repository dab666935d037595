// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The options that the lab asks for, as Debian's kernel 7.3.4 has them.
std::string DebianConfig() {
  return *ReadFile(std::string(PLECTL_SOURCE_DIR) + "/tests/fixtures/kernels/config-7.3.4-cloud");
}

// As if the option had not been chosen.
std::string Without(std::string config, const std::string& option) {
  const size_t at = config.find(option + "=");
  EXPECT_NE(at, std::string::npos) << option;
  return config.replace(at, config.find('\n', at) - at, "# " + option + " is not set");
}

std::vector<std::string> Missing(const std::string& config, const LabOptions& options = {}) {
  return MissingKernelOptions(KernelConfig::Parse(config), options);
}

TEST(KernelConfig, DebiansKernelHasWhatEachLabNeeds) {
  EXPECT_THAT(Missing(DebianConfig()), IsEmpty());
  LabOptions all;
  all.cpu = LabCpu::kAmd;
  all.cpus = 4;
  all.disk = "/disk";
  EXPECT_THAT(Missing(DebianConfig(), all), IsEmpty());
}

TEST(KernelConfig, EachMissingOptionIsNamed) {
  for (const std::string option :
       {"CONFIG_KVM", "CONFIG_KVM_INTEL", "CONFIG_BPF_SYSCALL", "CONFIG_DEBUG_INFO_BTF",
        "CONFIG_TRACEPOINTS", "CONFIG_EVENT_TRACING", "CONFIG_PERF_EVENTS",
        "CONFIG_SERIAL_8250_CONSOLE", "CONFIG_BLK_DEV_INITRD", "CONFIG_DEVMEM", "CONFIG_DEVTMPFS",
        "CONFIG_X86_IOPL_IOPERM", "CONFIG_ACPI", "CONFIG_KALLSYMS"}) {
    const auto missing = Missing(Without(DebianConfig(), option));
    EXPECT_THAT(missing, ElementsAre(testing::StartsWith(option))) << option;
  }
}

TEST(KernelConfig, WhatIsMissingIsNamedTogether) {
  const std::string config =
      Without(Without(DebianConfig(), "CONFIG_KVM_INTEL"), "CONFIG_BLK_DEV_INITRD");
  const Status status = CheckKernelConfig(KernelConfig::Parse(config), {}, "7.3.4-mine");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("7.3.4-mine"), HasSubstr("CONFIG_KVM_INTEL (--lab-cpu intel)"),
                    HasSubstr("CONFIG_BLK_DEV_INITRD=y")));
}

TEST(KernelConfig, OnlyWhatThisLabNeeds) {
  LabOptions amd;
  amd.cpu = LabCpu::kAmd;
  EXPECT_THAT(Missing(Without(DebianConfig(), "CONFIG_KVM_INTEL"), amd), IsEmpty());
  EXPECT_THAT(Missing(Without(DebianConfig(), "CONFIG_KVM_AMD"), amd), Not(IsEmpty()));
  LabOptions smp;
  smp.cpus = 2;
  EXPECT_THAT(Missing(Without(DebianConfig(), "CONFIG_SMP")), IsEmpty());
  EXPECT_THAT(Missing(Without(DebianConfig(), "CONFIG_SMP"), smp), Not(IsEmpty()));
}

TEST(KernelConfig, AModuleComesTooLateForTheConsole) {
  const KernelConfig config = KernelConfig::Parse(
      "CONFIG_SERIAL_8250_CONSOLE=m\nCONFIG_KVM=m\nCONFIG_KVM_AMD=y\r\n"
      "# CONFIG_KVM_INTEL is not set\nCONFIG_HZ=250\nnoise\n");
  EXPECT_FALSE(config.IsBuiltIn("CONFIG_SERIAL_8250_CONSOLE"));
  EXPECT_TRUE(config.IsThere("CONFIG_KVM"));
  EXPECT_TRUE(config.IsBuiltIn("CONFIG_KVM_AMD"));
  EXPECT_FALSE(config.IsThere("CONFIG_KVM_INTEL"));
  EXPECT_FALSE(config.IsThere("CONFIG_HZ"));
}

TEST(KernelConfig, WhereNothingIsKnownNothingIsRefused) {
  EXPECT_TRUE(CheckKernelConfig(KernelConfig::Parse(""), {}, "7.3.4"));
}

TEST(KernelConfig, WhereNothingIsKnownBehaviourNamesTheOption) {
  EXPECT_EQ(OptionMissingByBehaviour("the lab was not up after 300 s; its console is empty"),
            "CONFIG_SERIAL_8250_CONSOLE");
  EXPECT_EQ(OptionMissingByBehaviour("the lab panicked; its last console lines:\n  Kernel panic - "
                                     "not syncing: VFS: Unable to mount root fs on"),
            "CONFIG_BLK_DEV_INITRD");
  EXPECT_EQ(OptionMissingByBehaviour("plectl: open /dev/mem: No such file or directory"),
            "CONFIG_DEVMEM");
  EXPECT_EQ(OptionMissingByBehaviour("the lab was stopped on request"), "");
}

}  // namespace
}  // namespace plectl::lab
