// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/bochs_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BochsConfig, HoldsWhatTheOptionsSay) {
  LabOptions options;
  options.memory_mib = 768;
  options.instructions_per_s = 100'000'000;
  options.seed = 5;
  options.start = LabStart::kCold;
  const std::string config = BochsConfig(options);
  EXPECT_THAT(config, HasSubstr("memory: host=768, guest=768\n"));
  EXPECT_THAT(config, HasSubstr("cpu: model=corei7_haswell_4770, count=1, ips=100000000, "
                                "reset_on_triple_fault=0\n"));
  EXPECT_THAT(config, HasSubstr("clock: sync=none, time0=1700000005\n"));
}

TEST(BochsConfig, HasADiskOnlyWhereOneIs) {
  LabOptions options;
  EXPECT_THAT(BochsConfig(options), Not(HasSubstr("disk")));
  options.disk_facts = DiskFacts{130, 0};
  EXPECT_THAT(BochsConfig(options), HasSubstr("\nata0-slave: type=disk, mode=flat, path=disk.img, "
                                              "cylinders=130, heads=16, spt=63\nboot: cdrom\n"));
}

TEST(BochsConfig, SnapshotsOfAllSeedsAreOne) {
  LabOptions options;
  options.seed = 5;
  EXPECT_EQ(BochsConfig(options), BochsConfig({}));
}

TEST(BochsConfig, AColdLabBootsFromADiskAndASnapshotFromACd) {
  LabOptions options;
  EXPECT_THAT(BochsConfig(options), HasSubstr("ata0-master: type=cdrom, path=lab.iso,"));
  EXPECT_THAT(BochsConfig(options), HasSubstr("boot: cdrom\n"));
  options.start = LabStart::kCold;
  EXPECT_THAT(BochsConfig(options), HasSubstr("ata0-master: type=disk, mode=flat, path=lab.iso,"));
  EXPECT_THAT(BochsConfig(options), HasSubstr("boot: disk\n"));
}

TEST(ResumableConfig, LoadsThePluginsAsAtBoot) {
  EXPECT_EQ(ResumableConfig("# saved\nplugin_ctrl: voodoo=false, usb_uhci=true\ncpu: count=1\n"),
            "# saved\nplugin_ctrl: biosdev=true, iodebug=true, parallel=true, extfpuirq=true, "
            "serial=true, unmapped=true\ncpu: count=1\n");
  EXPECT_EQ(ResumableConfig("cpu: count=1\n"), std::nullopt);
}

TEST(BochsConfig, AmdIsARyzen) {
  LabOptions options;
  options.cpu = LabCpu::kAmd;
  EXPECT_THAT(BochsConfig(options), HasSubstr("cpu: model=ryzen,"));
}

TEST(BochsConfig, NamesNoPathOfTheRun) {
  const std::string config = BochsConfig({});
  EXPECT_THAT(config, HasSubstr("path=lab.iso,"));
  EXPECT_THAT(config, HasSubstr("com1: enabled=1, mode=file, dev=console\n"));
  EXPECT_THAT(config, HasSubstr("parport1: enabled=1, file=frames\n"));
  EXPECT_THAT(config, Not(HasSubstr("/tmp")));
}

TEST(BochsConfig, NoDialogWaitsForAnybody) {
  const std::string config = BochsConfig({});
  EXPECT_THAT(config, HasSubstr("panic: action=fatal\n"));
  EXPECT_THAT(config, HasSubstr("options=\"timeout=0\""));
}

TEST(IsolinuxConfig, BootsAtOnceWithTheJobFirst) {
  EXPECT_EQ(IsolinuxConfig("quiet x=1"),
            "DEFAULT lab\nPROMPT 0\nLABEL lab\nKERNEL /vmlinuz\nINITRD /job.img,/system.img\n"
            "APPEND quiet x=1\n");
}

TEST(EngineVersion, IsTakenFromTheBanner) {
  EXPECT_EQ(ParseEngineVersion("=====\n      Bochs x86 Emulator 2.7\n  Built from"), "2.7");
  EXPECT_EQ(ParseEngineVersion("Bochs x86 Emulator 3.0.devel\n"), "3.0.devel");
  EXPECT_EQ(ParseEngineVersion("QEMU emulator version 7.2"), std::nullopt);
  EXPECT_EQ(ParseEngineVersion("Bochs x86 Emulator \n"), std::nullopt);
  EXPECT_EQ(ParseEngineVersion("Bochs x86 Emulator 2.7,evil=1\n"), std::nullopt);
  EXPECT_EQ(ParseEngineVersion(""), std::nullopt);
}

TEST(EmulatedInstructions, AreTakenFromTheLastDebuggerLine) {
  EXPECT_EQ(ParseEmulatedInstructions("(0).[17] [0x1] a\n(0).[1703588658] [0x00000162de5f] 0010\n"),
            1703588658U);
  EXPECT_EQ(ParseEmulatedInstructions("Bochs is exiting"), std::nullopt);
  EXPECT_EQ(ParseEmulatedInstructions("(0).["), std::nullopt);
  EXPECT_EQ(ParseEmulatedInstructions("(0).[x]"), std::nullopt);
  EXPECT_EQ(ParseEmulatedInstructions("(0).[99999999999999999999]"), std::nullopt);
}

}  // namespace
}  // namespace plectl::lab
