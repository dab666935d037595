// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "host_tools/lab/lab_config.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LabKernel, ReleasesHaveNames) {
  for (const char* name :
       {"debian12", "debian12-backports", "debian13", "debian13-backports", "sid"}) {
    const auto choice = FindLabKernel({name});
    ASSERT_TRUE(choice) << name;
    EXPECT_EQ(LabKernelName(*choice), name);
    EXPECT_NE(FindDebianRelease(choice->name), nullptr);
  }
  EXPECT_EQ(LabKernelName(LabOptions().kernel), "debian12");
}

TEST(LabKernel, OldNamesMeanDebian12) {
  EXPECT_EQ(FindLabKernel({"6.1"})->name, "debian12");
  EXPECT_EQ(FindLabKernel({"backports"})->name, "debian12-backports");
}

TEST(LabKernel, AnotherNameIsRefusedWithASuggestion) {
  const auto typo = FindLabKernel({"debian13-backport"});
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(typo.error().message, HasSubstr("did you mean \"debian13-backports\"?"));
  EXPECT_THAT(typo.error().hint, HasSubstr("sid"));
  EXPECT_FALSE(FindLabKernel({"6.12"}));
  EXPECT_FALSE(FindLabKernel({""}));
}

class LabKernelFiles : public testing::Test {
 protected:
  std::string Add(const std::string& name) {
    EXPECT_TRUE(WriteFileAtomically(directory_.path() / name, ""));
    return directory_.path() / name;
  }
  const TempDir directory_;
};

TEST_F(LabKernelFiles, AreOneOrSeveralPackages) {
  const std::string image = Add("linux-image-6.18.0_1_amd64.deb");
  const std::string modules = Add("linux-modules_1_amd64.deb");
  const auto one = FindLabKernel({image});
  ASSERT_TRUE(one);
  EXPECT_THAT(one->debs, ElementsAre(image));
  EXPECT_EQ(one->name, "");
  const auto two = FindLabKernel({image, modules});
  ASSERT_TRUE(two);
  EXPECT_EQ(LabKernelName(*two), "linux-image-6.18.0_1_amd64.deb, linux-modules_1_amd64.deb");
}

TEST_F(LabKernelFiles, MayBeADirectory) {
  const auto choice = FindLabKernel({directory_.path()});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->tree, directory_.path());
  EXPECT_EQ(choice->name, "");
}

TEST_F(LabKernelFiles, SeveralKernelsAreNotOne) {
  const std::string deb = Add("a.deb");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"sid", "debian12"},
                                             {deb, "sid"},
                                             {deb, directory_.path()},
                                             {directory_.path(), directory_.path()}}) {
    const auto choice = FindLabKernel(words);
    ASSERT_FALSE(choice);
    EXPECT_THAT(choice.error().message, HasSubstr("are not one kernel"));
  }
}

TEST_F(LabKernelFiles, OneThatIsNotThereIsNamed) {
  const auto missing = FindLabKernel({"/nowhere/linux-image.deb"});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("there is no kernel /nowhere/linux-image.deb"));
}

}  // namespace
}  // namespace plectl::lab
