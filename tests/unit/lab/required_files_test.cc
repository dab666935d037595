// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/required_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RequiredFilesTest : public testing::Test {
 protected:
  RequiredFilesTest() {
    for (const char* path :
         {"/usr/bin/apt-get", "/usr/bin/dpkg-deb", "/usr/sbin/depmod", "/usr/bin/strip",
          "/usr/bin/nm", "/usr/bin/objcopy", "/usr/bin/ldd", "/usr/bin/xorriso",
          "/usr/bin/bochs-bin", "/bin/busybox", "/usr/lib/ISOLINUX/isolinux.bin",
          "/usr/lib/ISOLINUX/isohdpfx.bin", "/usr/lib/syslinux/modules/bios/ldlinux.c32",
          "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/bochs/VGABIOS-lgpl-latest"}) {
      EXPECT_TRUE(MakeDirectories(root_.Path(path).parent_path()));
      EXPECT_TRUE(WriteFileAtomically(root_.Path(path), ""));
    }
  }
  void Remove(std::string_view path) { std::filesystem::remove(root_.Path(path)); }

  TempDir directory_;
  HostRoot root_{directory_.path()};
};

TEST_F(RequiredFilesTest, AllThere) { EXPECT_TRUE(CheckRequiredFiles(root_, "bochs-bin")); }

TEST_F(RequiredFilesTest, NamesEverythingMissingAndItsPackages) {
  Remove("/usr/bin/xorriso");
  Remove("/usr/bin/bochs-bin");
  Remove("/usr/lib/syslinux/modules/bios/ldlinux.c32");
  const Status status = CheckRequiredFiles(root_, "bochs-bin");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("xorriso"), HasSubstr("bochs-bin"), HasSubstr("ldlinux.c32")));
  EXPECT_EQ(status.error().hint, "sudo apt-get install bochs syslinux-common xorriso");
}

TEST_F(RequiredFilesTest, TheEngineMayBeAPath) {
  EXPECT_TRUE(CheckRequiredFiles(root_, "/usr/bin/bochs-bin"));
  const Status status = CheckRequiredFiles(root_, "/opt/bochs");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("/opt/bochs"));
  EXPECT_THAT(status.error().hint, HasSubstr("--lab-engine"));
}

TEST_F(RequiredFilesTest, ProgramsOfRootAreFound) {
  EXPECT_EQ(*FindProgram(root_, "depmod"), root_.Path("/usr/sbin/depmod"));
  EXPECT_FALSE(FindProgram(root_, "mkisofs"));
}

TEST_F(RequiredFilesTest, TheEnginesFileIsThePathOrFoundAsAProgram) {
  EXPECT_EQ(*EngineFile(root_, "bochs-bin"), root_.Path("/usr/bin/bochs-bin"));
  EXPECT_EQ(*EngineFile(root_, "/opt/bochs/bochs"), "/opt/bochs/bochs");
  EXPECT_EQ(*EngineFile(root_, "./bochs"), "./bochs");
  Remove("/usr/bin/bochs-bin");
  EXPECT_FALSE(EngineFile(root_, "bochs-bin"));
}

}  // namespace
}  // namespace plectl::lab
