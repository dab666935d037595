// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

using testing::ElementsAre;

constexpr std::string_view kModulesDep =
    "kernel/virt/lib/irqbypass.ko:\n"
    "kernel/drivers/crypto/ccp/ccp.ko:\n"
    "kernel/arch/x86/kvm/kvm.ko: kernel/virt/lib/irqbypass.ko\n"
    "kernel/arch/x86/kvm/kvm-intel.ko: kernel/arch/x86/kvm/kvm.ko kernel/virt/lib/irqbypass.ko\n"
    "kernel/net/x.ko: kernel/virt/lib/irqbypass.ko\n";

TEST(ModuleFiles, AreTheModulesAndTheirDependencies) {
  const auto files = ParseModuleFiles(kModulesDep, {"kvm-intel"});
  EXPECT_THAT(files, ElementsAre("kernel/arch/x86/kvm/kvm-intel.ko", "kernel/arch/x86/kvm/kvm.ko",
                                 "kernel/virt/lib/irqbypass.ko"));
}

TEST(ModuleFiles, MayBeCompressed) {
  const auto files = ParseModuleFiles(
      "kernel/kvm.ko.xz: kernel/irqbypass.ko.xz\nkernel/irqbypass.ko.xz:\n"
      "kernel/kvm-amd.ko.zst: kernel/kvm.ko.xz kernel/irqbypass.ko.xz\nkernel/not-kvm.ko.xz:\n",
      {"kvm", "kvm-amd"});
  EXPECT_THAT(files,
              ElementsAre("kernel/irqbypass.ko.xz", "kernel/kvm-amd.ko.zst", "kernel/kvm.ko.xz"));
}

TEST(ModuleFiles, WhatIsBuiltInIsNone) {
  EXPECT_THAT(ParseModuleFiles("kernel/net/x.ko:\n", {"kvm-intel", "kvm-amd"}), ElementsAre());
}

TEST(Functions, AreWhatNmCallsTextAlsoWeakAndLocal) {
  EXPECT_EQ(FunctionsIn("0000000000000010 T kvm_init\n0000000000000020 t handle_pause\n"
                        "0000000000000030 W weak\n0000000000000000 r print_fmt_kvm_exit\n"
                        "                 U printk\n0000000000000040 B data\n"),
            "kvm_init\nhandle_pause\nweak\n");
  EXPECT_EQ(FunctionsIn(""), "");
}

}  // namespace
}  // namespace plectl::lab
