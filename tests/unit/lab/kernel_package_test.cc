// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

TEST(KernelPackage, IsTheDependencyOfTheMetaPackage) {
  EXPECT_EQ(ParseKernelPackage("linux-image-cloud-amd64\n"
                               "  Depends: linux-image-6.1.0-56-cloud-amd64\n"),
            "linux-image-6.1.0-56-cloud-amd64");
  EXPECT_EQ(ParseKernelPackage("linux-image-cloud-amd64\n"
                               "  Depends: linux-base-cloud-amd64\n"
                               "  Depends: linux-image-6.12.95+deb12-cloud-amd64\n"),
            "linux-image-6.12.95+deb12-cloud-amd64");
}

TEST(KernelPackage, NothingElseIsTakenForOne) {
  EXPECT_EQ(ParseKernelPackage(""), std::nullopt);
  EXPECT_EQ(ParseKernelPackage("linux-image-cloud-amd64\n  Suggests: linux-image-x\n"),
            std::nullopt);
  EXPECT_EQ(ParseKernelPackage("  Depends: kmod\n"), std::nullopt);
  EXPECT_EQ(ParseKernelPackage("  Depends: linux-image-../../etc\n"), std::nullopt);
}

// A cache whose kernels are there already: no program is run.
class KernelCacheTest : public testing::Test {
 protected:
  void Add(const std::string& name, const std::string& release, const std::string& current) {
    const auto kernels = cache_.path() / "kernel";
    ASSERT_TRUE(MakeDirectories(kernels / name));
    ASSERT_TRUE(WriteFileAtomically(kernels / name / "release", release));
    ASSERT_TRUE(WriteFileAtomically(kernels / current, name));
  }
  Result<LabKernel> Ensure(LabKernelChoice choice) {
    return EnsureKernel(cache_.path(), choice, false,
                        [](std::string_view text) { FAIL() << text; });
  }

  const TempDir cache_;
};

TEST_F(KernelCacheTest, TheOneInTheCacheIsUsedWithoutAnyProgram) {
  Add("linux-image-6.1_1", "6.1", "current");
  const auto kernel = Ensure(LabKernelChoice::kDebian12);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->release, "6.1");
  EXPECT_EQ(kernel->directory, cache_.path() / "kernel/linux-image-6.1_1");
}

TEST_F(KernelCacheTest, HoldsTheKernelsOfAllChoices) {
  Add("linux-image-6.1_1", "6.1", "current");
  Add("linux-image-6.12_1", "6.12", "current-backports");
  EXPECT_EQ(Ensure(LabKernelChoice::kDebian12)->release, "6.1");
  EXPECT_EQ(Ensure(LabKernelChoice::kBackports)->release, "6.12");
}

}  // namespace
}  // namespace plectl::lab
