// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

TEST(KernelPackage, IsTheDependencyOfTheMetaPackage) {
  EXPECT_EQ(ParseKernelPackage("linux-image-cloud-amd64\n"
                               "  Depends: linux-image-6.1.0-56-cloud-amd64\n"),
            "linux-image-6.1.0-56-cloud-amd64");
}

TEST(KernelPackage, NothingElseIsTakenForOne) {
  EXPECT_EQ(ParseKernelPackage(""), std::nullopt);
  EXPECT_EQ(ParseKernelPackage("linux-image-cloud-amd64\n  Suggests: linux-image-x\n"),
            std::nullopt);
  EXPECT_EQ(ParseKernelPackage("  Depends: kmod\n"), std::nullopt);
  EXPECT_EQ(ParseKernelPackage("  Depends: linux-image-../../etc\n"), std::nullopt);
}

constexpr std::string_view kModulesDep =
    "kernel/virt/lib/irqbypass.ko:\n"
    "kernel/drivers/crypto/ccp/ccp.ko:\n"
    "kernel/arch/x86/kvm/kvm.ko: kernel/virt/lib/irqbypass.ko\n"
    "kernel/arch/x86/kvm/kvm-intel.ko: kernel/arch/x86/kvm/kvm.ko kernel/virt/lib/irqbypass.ko\n"
    "kernel/net/x.ko: kernel/virt/lib/irqbypass.ko\n";

TEST(ModuleFiles, AreTheModulesAndTheirDependencies) {
  const auto files = ParseModuleFiles(kModulesDep, {"kvm-intel"});
  ASSERT_TRUE(files);
  EXPECT_THAT(*files,
              testing::ElementsAre("kernel/arch/x86/kvm/kvm-intel.ko", "kernel/arch/x86/kvm/kvm.ko",
                                   "kernel/virt/lib/irqbypass.ko"));
}

TEST(ModuleFiles, AMissingModuleIsNamed) {
  const auto files = ParseModuleFiles(kModulesDep, {"kvm-intel", "kvm-amd"});
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message, testing::HasSubstr("kvm-amd.ko"));
}

TEST(Kernel, TheOneInTheCacheIsUsedWithoutAnyProgram) {
  const TempDir cache;
  const auto directory = cache.path() / "kernel/linux-image-6.1_1";
  ASSERT_TRUE(MakeDirectories(directory));
  ASSERT_TRUE(WriteFileAtomically(directory / "release", "6.1"));
  ASSERT_TRUE(WriteFileAtomically(cache.path() / "kernel/current", "linux-image-6.1_1"));
  const auto kernel = EnsureKernel(cache.path(), false, [](std::string_view) { FAIL(); });
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->release, "6.1");
  EXPECT_EQ(kernel->directory, directory);
}

}  // namespace
}  // namespace plectl::lab
