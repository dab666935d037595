// SPDX-License-Identifier: Apache-2.0
// The same inputs give the same bytes, whatever the time and the place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/iso.h"
#include "host_tools/lab/required_files.h"
#include "host_tools/lab/system_image.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

class ImageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const Status there = CheckRequiredFiles(HostRoot(), "bochs-bin"); !there) {
      GTEST_SKIP() << there.error().Text();
    }
    ASSERT_TRUE(MakeDirectories(directory_.path() / "kernel/lib/modules/6.1"));
    ASSERT_TRUE(WriteFileAtomically(directory_.path() / "kernel/lib/modules/6.1/kvm.ko", "kvm"));
    ASSERT_TRUE(WriteFileAtomically(directory_.path() / "kernel/vmlinuz", std::string(5000, 'k')));
  }

  std::string IsoHash(const std::string& name) {
    const std::filesystem::path run = directory_.path() / name;
    const IsoContent content{directory_.path() / "kernel/vmlinuz", "system", "job", "quiet"};
    const Status written = WriteIso(content, run);
    EXPECT_TRUE(written) << written.error().Text();
    return Sha256Hex(ReadFile(run / kIsoFile).value_or(name));
  }

  std::string SystemImage(const std::string& cache) {
    const auto image = BuildSystemImage(directory_.path() / cache, kernel_);
    EXPECT_TRUE(image) << image.error().Text();
    return image.value_or(cache);
  }

  TempDir directory_;
  LabKernel kernel_{directory_.path() / "kernel", "6.1"};
};

TEST_F(ImageTest, TheIsoIsTheSameAnotherTimeInAnotherPlace) {
  const std::string first = IsoHash("one");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // file times are in seconds
  EXPECT_EQ(first, IsoHash("two,=deep"));
}

TEST_F(ImageTest, TheSystemImageIsTheSameFromAnotherCache) {
  const std::string first = SystemImage("one");
  EXPECT_EQ(Sha256Hex(first), Sha256Hex(SystemImage("two")));
  EXPECT_EQ(Sha256Hex(first), Sha256Hex(SystemImage("one")));
}

TEST_F(ImageTest, TheSystemImageHoldsTheSystem) {
  const std::string image = SystemImage("one");
  for (const char* path : {"init", "bin/busybox", "bin/plectl", "lib/modules/6.1/kvm.ko",
                           "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6"}) {
    EXPECT_NE(image.find(path + std::string(1, '\0')), std::string::npos) << path;
  }
}

TEST_F(ImageTest, TheSystemImageOfALabWithADiskHasItsOwnModules) {
  const auto tree = directory_.path() / "kernel/disk";
  ASSERT_TRUE(MakeDirectories(tree / "lib/modules/6.1"));
  // In pieces: this program is in the image too, with its texts.
  const std::string module = std::string("6.1/sd_mod") + ".ko";
  ASSERT_TRUE(WriteFileAtomically(tree / "lib/modules" / module, "sd"));
  const auto image = BuildSystemImage(directory_.path() / "one", kernel_, tree);
  ASSERT_TRUE(image) << image.error().Text();
  EXPECT_NE(image->find(module), std::string::npos);
  EXPECT_NE(image->find(InitScript(true)), std::string::npos);
  const std::string without = SystemImage("one");
  EXPECT_EQ(without.find(module), std::string::npos);
  EXPECT_NE(without.find(InitScript(false)), std::string::npos);
}

TEST(InitScript, AlwaysPowersOff) {
  for (const bool with_disk : {false, true}) {
    EXPECT_THAT(InitScript(with_disk), testing::StartsWith("#!/bin/sh\n"));
    EXPECT_THAT(InitScript(with_disk), testing::EndsWith("\npoweroff -f\n"));
  }
}

TEST(InitScript, MountsTheDiskBeforeKvmIsLoaded) {
  const std::string script = InitScript(true);
  EXPECT_LT(script.find("modprobe sd_mod\n"), script.find("mount -t ext4"));
  EXPECT_LT(script.find("--bind /disk/etc/modprobe.d"), script.find("modprobe kvm_intel"));
  EXPECT_EQ(InitScript(false).find("disk"), std::string::npos);
}

}  // namespace
}  // namespace plectl::lab
