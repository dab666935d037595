// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace plectl::lab {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(FindLabCpu, KnowsVendorsAndProfiles) {
  EXPECT_EQ(FindLabCpu("intel")->cpu, LabCpu::kIntel);
  EXPECT_EQ(FindLabCpu("intel")->profile, std::nullopt);
  EXPECT_EQ(FindLabCpu("amd")->cpu, LabCpu::kAmd);
  const auto zen = FindLabCpu("zen4");
  ASSERT_TRUE(zen) << zen.error().Text();
  EXPECT_EQ(zen->cpu, LabCpu::kAmd);
  EXPECT_EQ(zen->profile->pause_tsc_cycles, 64U);
}

TEST(FindLabCpu, SuggestsAndListsTheNames) {
  const auto typo = FindLabCpu("skylake-cleint");
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(typo.error().message, HasSubstr("did you mean \"skylake-client\"?"));
  EXPECT_THAT(typo.error().hint, HasSubstr("ice-lake-server"));
}

TEST(LabOptions, DefaultsAreValid) { EXPECT_TRUE(CheckLabOptions({})); }

TEST(LabOptions, OutOfRangeIsBadInputThatNamesTheRange) {
  LabOptions slow;
  slow.instructions_per_s = 1000;
  const Status status = CheckLabOptions(slow);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(status.error().message, HasSubstr("20000000 to 4000000000"));
  LabOptions late;
  late.seed = 400'000'001;
  EXPECT_FALSE(CheckLabOptions(late));
  LabOptions small;
  small.memory_mib = 159;
  EXPECT_FALSE(CheckLabOptions(small));
}

TEST(LabOptions, TheSeedMovesTheClockOfAColdBoot) {
  LabOptions options;
  options.start = LabStart::kCold;
  const uint64_t start = StartTime(options);
  options.seed = 7;
  EXPECT_EQ(StartTime(options), start + 7);
}

TEST(LabOptions, TheClockOfALabWithADiskGoesOn) {
  LabOptions options;
  options.start = LabStart::kCold;
  const uint64_t start = StartTime(options);
  options.disk_facts = DiskFacts{130, start + 5000};
  EXPECT_GT(StartTime(options), start + 5000);
  options.disk_facts = DiskFacts{130, 0};  // a file system without a clock
  EXPECT_EQ(StartTime(options), start);
}

TEST(LabOptions, AFileThatIsNoDiskIsBadInput) {
  LabOptions options;
  options.disk = "/dev/null";
  const Status status = CheckLabOptions(options);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
}

TEST(LabOptions, TheSeedDelaysAResumedLabByLessThanATick) {
  LabOptions options;
  EXPECT_EQ(SeedDelay(options), 0U);
  std::set<uint64_t> delays;
  for (options.seed = 0; options.seed < 1000; ++options.seed) {
    EXPECT_LT(SeedDelay(options), options.instructions_per_s / 250);
    delays.insert(SeedDelay(options));
    EXPECT_EQ(StartTime(options), StartTime({}));
  }
  EXPECT_EQ(delays.size(), 1000U);
}

TEST(KernelCommandLine, OnlyASnapshotReservesMemoryForJobs) {
  LabOptions options;
  EXPECT_THAT(KernelCommandLine(options, "2.7"),
              HasSubstr(" memmap=16M$0x6000000 plectl.snapshot"));
  options.start = LabStart::kCold;
  EXPECT_THAT(KernelCommandLine(options, "2.7"), Not(HasSubstr("memmap")));
}

TEST(KernelCommandLine, NamesTheLab) {
  LabOptions options;
  options.cpu = LabCpu::kAmd;
  EXPECT_THAT(KernelCommandLine(options, "2.7"),
              HasSubstr(" plectl.lab=bochs-2.7,ryzen,cpus=1,ips=200000000,time0=1700000000"));
}

// Whose emulated XSAVES loses vector registers. lab.doctor found a module file to be another build.
TEST(KernelCommandLine, HidesXsavesOnAmd) {
  LabOptions options;
  EXPECT_THAT(KernelCommandLine(options, "2.7"),
              HasSubstr(" clearcpuid=rdrand,rdseed,fsrm,mwaitx "));
  options.cpu = LabCpu::kAmd;
  EXPECT_THAT(KernelCommandLine(options, "2.7"), HasSubstr(",mwaitx,xsaves,xsavec "));
}

// Its thread would be foreign work in trials of the lab.
TEST(KernelCommandLine, LeavesDamonOff) {
  EXPECT_THAT(KernelCommandLine({}, "2.7"), HasSubstr(" damon_stat.enabled=0 "));
}

TEST(KernelCommandLine, SeveralCpusIdleByHalt) {
  LabOptions options;
  EXPECT_THAT(KernelCommandLine(options, "2.7"), Not(HasSubstr("idle=halt")));
  options.cpus = 2;
  EXPECT_THAT(KernelCommandLine(options, "2.7"), HasSubstr(" idle=halt plectl.lab="));
  options.cpus = 3;
  EXPECT_FALSE(CheckLabOptions(options));
}

TEST(KernelCommandLine, EndsWithTheUsersArguments) {
  LabOptions options;
  options.kernel_arguments = "nohz_full=1 isolcpus=1";
  EXPECT_TRUE(CheckLabOptions(options));
  EXPECT_THAT(KernelCommandLine(options, "2.7"),
              EndsWith(" plectl.snapshot nohz_full=1 isolcpus=1"));
}

TEST(KernelCommandLine, StaysOnOneLineThatFits) {
  LabOptions options;
  options.kernel_arguments = std::string(512, 'x');
  options.cpus = 4;
  EXPECT_TRUE(CheckLabOptions(options));
  EXPECT_LT(KernelCommandLine(options, "2.7").size(), 2047U);
  for (const std::string& refused :
       {std::string(513, 'x'), std::string("a\nLABEL b"), std::string("caf\xc3\xa9"),
        std::string("plectl.lab=silicon"), std::string("quiet plectl.snapshot")}) {
    options.kernel_arguments = refused;
    const Status status = CheckLabOptions(options);
    ASSERT_FALSE(status) << refused;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(status.error().message, HasSubstr("kernel arguments"));
  }
}

TEST(KernelCommandLine, HidesWhatIsNotRepeatable) {
  const std::string line = KernelCommandLine({}, "2.7");
  EXPECT_THAT(line, HasSubstr(" clearcpuid=rdrand,rdseed,"));
  EXPECT_THAT(line, HasSubstr(" nokaslr "));
  EXPECT_LT(line.size(), 2048U);  // COMMAND_LINE_SIZE of x86
}

TEST(KernelCommandLine, IsQuietUnlessAsked) {
  LabOptions options;
  EXPECT_THAT(KernelCommandLine(options, "2.7"), HasSubstr(" quiet "));
  options.verbose_console = true;
  EXPECT_THAT(KernelCommandLine(options, "2.7"), Not(HasSubstr("quiet")));
}

TEST(LabDirectory, ComesFromTheEnvironmentInOrder) {
  ::setenv("PLECTL_LAB_DIR", "/own", 1);
  ::setenv("XDG_CACHE_HOME", "/cache", 1);
  ::setenv("HOME", "/home/me", 1);
  EXPECT_EQ(*DefaultLabDirectory(), "/own");
  ::unsetenv("PLECTL_LAB_DIR");
  EXPECT_EQ(*DefaultLabDirectory(), "/cache/plectl/lab");
  ::setenv("XDG_CACHE_HOME", "", 1);
  EXPECT_EQ(*DefaultLabDirectory(), "/home/me/.cache/plectl/lab");
  ::unsetenv("HOME");
  EXPECT_FALSE(DefaultLabDirectory());
}

}  // namespace
}  // namespace plectl::lab
