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

TEST(KernelPackage, ItsPartsAreThoseOfTheSameRelease) {
  const std::string package = "linux-image-7.3.4+deb13-cloud-amd64";
  EXPECT_THAT(
      ParseKernelParts(package, package + "\n  PreDepends: linux-base\n |Depends: <dracut>\n"
                                          "  Depends: linux-base-7.3.4+deb13-cloud-amd64\n"
                                          "  Depends: linux-binary-7.3.4+deb13-cloud-amd64\n"
                                          "  Depends: linux-modules-7.3.4+deb13-cloud-amd64\n"
                                          "  Suggests: linux-doc-7.3\n"),
      testing::ElementsAre(package, "linux-base-7.3.4+deb13-cloud-amd64",
                           "linux-binary-7.3.4+deb13-cloud-amd64",
                           "linux-modules-7.3.4+deb13-cloud-amd64"));
  EXPECT_THAT(ParseKernelParts("linux-image-6.1.0-56-cloud-amd64",
                               "  PreDepends: linux-base\n  Depends: kmod\n"),
              testing::ElementsAre("linux-image-6.1.0-56-cloud-amd64"));
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
  Result<LabKernel> Ensure(const std::string& name) {
    return EnsureKernel(cache_.path(), {name, {}, {}}, false,
                        [](std::string_view text) { FAIL() << text; });
  }

  const TempDir cache_;
};

TEST_F(KernelCacheTest, TheOneInTheCacheIsUsedWithoutAnyProgram) {
  Add("linux-image-6.1_1", "6.1", "release-debian12");
  const auto kernel = Ensure("debian12");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->release, "6.1");
  EXPECT_EQ(kernel->directory, cache_.path() / "kernel/linux-image-6.1_1");
}

TEST_F(KernelCacheTest, HoldsTheKernelsOfAllChoices) {
  Add("linux-image-6.1_1", "6.1", "release-debian12");
  Add("linux-image-6.12_1", "6.12", "release-debian12-backports");
  EXPECT_EQ(Ensure("debian12")->release, "6.1");
  EXPECT_EQ(Ensure("debian12-backports")->release, "6.12");
}

// Before, "6.1" meant the suite of the machine: on Debian 13 there is another kernel under that
// name.
TEST_F(KernelCacheTest, AKernelOfAnOlderPlectlIsNotTakenForDebian12s) {
  Add("linux-image-6.12_1", "6.12", "current");
  std::error_code error;
  EXPECT_FALSE(std::filesystem::exists(cache_.path() / "kernel/release-debian12", error));
  Add("linux-image-6.1_1", "6.1", "release-debian12");
  EXPECT_EQ(Ensure("debian12")->release, "6.1");
}

}  // namespace
}  // namespace plectl::lab
