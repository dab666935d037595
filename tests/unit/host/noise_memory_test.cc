// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/host_root.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using ::testing::HasSubstr;

std::string Recorded(std::string_view path) {
  return HostRoot(PLECTL_FIXTURES "/noise/end").Read(path).value();
}

constexpr Q kVmstat[] = {Q::kPgscanKswapd,  Q::kPgscanDirect, Q::kPgstealKswapd,
                         Q::kPgstealDirect, Q::kAllocstall,   Q::kCompactStall,
                         Q::kPswpin,        Q::kPswpout,      Q::kOomKill};

TEST(NoiseMemory, ReadsVmstat) {
  NoiseCounts counts;
  ParseVmstat(Recorded("/proc/vmstat"), counts);
  EXPECT_EQ(counts[Q::kPgscanKswapd], Count(55339));
  EXPECT_EQ(counts[Q::kPgscanDirect], Count(488)) << "pgscan_direct_throttle is another line";
  EXPECT_EQ(counts[Q::kPgstealKswapd], Count(35243));
  EXPECT_EQ(counts[Q::kPgstealDirect], Count(488));
  EXPECT_EQ(counts[Q::kAllocstall], Count(8)) << "of the movable zone";
  for (const Q none : {Q::kCompactStall, Q::kPswpin, Q::kPswpout, Q::kOomKill}) {
    EXPECT_EQ(counts[none], Count(0));
  }
}

TEST(NoiseMemory, AddsUpTheAllocationStallsOfAllZones) {
  NoiseCounts counts;
  ParseVmstat("allocstall_dma 1\nallocstall_normal 20\nallocstall_device 300\n", counts);
  EXPECT_EQ(counts[Q::kAllocstall], Count(321));
  ParseVmstat("allocstall 7\n", counts);  // before Linux 4.10
  EXPECT_EQ(counts[Q::kAllocstall], Count(7));
}

TEST(NoiseMemory, OfVmstatThatSaysNothingOrNonsenseAllIsMissing) {
  for (const char* text : {"", "\n", "pgscan_kswapd", "nr_free_pages 5\n", "pgscan_kswapd\t-1\n"}) {
    NoiseCounts counts;
    ParseVmstat(text, counts);
    for (const Q quantity : kVmstat) EXPECT_FALSE(counts[quantity].has_value()) << text;
  }
  NoiseCounts counts;
  ParseVmstat("oom_kill 1e3\npswpin 0x5\npswpout 99999999999999999999\nallocstall_dma x\n", counts);
  for (const Q quantity : kVmstat) EXPECT_FALSE(counts[quantity].has_value());
  EXPECT_THAT(counts[Q::kOomKill].missing_because(),
              HasSubstr("no number in line oom_kill of /proc/vmstat"));
}

TEST(NoiseMemory, ReadsZoneinfo) {
  NoiseCounts counts;
  EXPECT_EQ(ParseZoneinfo(Recorded("/proc/zoneinfo"), counts), "Node 0, zone DMA32");
  for (const Q free : {Q::kFreePagesStart, Q::kFreePagesEnd}) {
    EXPECT_EQ(counts[free], Count(3752 + 15025));
  }
  EXPECT_EQ(counts[Q::kMinPages], Count(49 + 258));
  EXPECT_EQ(counts[Q::kLowPages], Count(61 + 322)) << "not the \"high:\" of the page sets";
  EXPECT_EQ(counts[Q::kHighPages], Count(73 + 386));
  EXPECT_EQ(counts[Q::kInactiveAnonPagesEnd], Count(1 + 4053));
  EXPECT_EQ(counts[Q::kActiveAnonPagesEnd], Count(1824));
  EXPECT_EQ(counts[Q::kInactiveFilePagesStart], Count(2));
  EXPECT_EQ(counts[Q::kActiveFilePagesStart], Count(0));
  EXPECT_EQ(counts[Q::kWorstFreePercentOfLow], Count(15025 * 100 / 322));
}

TEST(NoiseMemory, ZonesWithoutMemoryDoNotCount) {
  NoiseCounts counts;
  EXPECT_EQ(ParseZoneinfo("Node 0, zone DMA\n pages free 0\n low 5\n managed 0\n", counts), "");
  EXPECT_FALSE(counts[Q::kFreePagesStart].has_value());
  EXPECT_FALSE(counts[Q::kWorstFreePercentOfLow].has_value());
}

TEST(NoiseMemory, AZoneThatLacksALineSpoilsItsSumOnly) {
  NoiseCounts counts;
  const char* text =
      "Node 0, zone DMA\n pages free 9\n min 1\n low 3\n high 5\n managed 10\n"
      "Node 1, zone Normal\n pages free many\n min 1\n low 3\n high 5\n managed 10\n";
  EXPECT_EQ(ParseZoneinfo(text, counts), "Node 0, zone DMA");
  EXPECT_EQ(counts[Q::kMinPages], Count(2));
  EXPECT_FALSE(counts[Q::kFreePagesEnd].has_value());
  EXPECT_FALSE(counts[Q::kActiveAnonPagesEnd].has_value());
  EXPECT_EQ(counts[Q::kWorstFreePercentOfLow], Count(300));
}

TEST(NoiseMemory, ReadsPressure) {
  const std::string text = Recorded("/proc/pressure/memory");
  EXPECT_EQ(PressureTotalUs(text, "some"), Count(1'280'729));
  EXPECT_EQ(PressureTotalUs(text, "full"), Count(1'222'497));
  EXPECT_FALSE(PressureTotalUs(text, "none").has_value());
  for (const char* bad : {"", "some", "some total=", "some total=-1", "some avg10=0.00",
                          "full avg10=0 total=3", "some total=1 total=x"}) {
    EXPECT_FALSE(PressureTotalUs(bad, "some").has_value()) << bad;
  }
}

TEST(NoiseMemory, ReadsCgroups) {
  EXPECT_EQ(CgroupPagesScanned(Recorded("/sys/fs/cgroup/memory.stat")), Count(55339 + 29014));
  EXPECT_EQ(CgroupPagesScanned(Recorded("/sys/fs/cgroup/limited/memory.stat")), Count(28526));
  EXPECT_EQ(CgroupLimitEvents(Recorded("/sys/fs/cgroup/limited/memory.events.local")), Count(689));
  EXPECT_EQ(CgroupLimitEvents("low 1\nhigh 20\nmax 300\noom 4000\n"), Count(320));
  for (const char* bad : {"", "max", "max x\n", "high 1\nmax ?\n", "maximum 5\n"}) {
    EXPECT_FALSE(CgroupLimitEvents(bad).has_value()) << bad;
    EXPECT_FALSE(CgroupPagesScanned(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace plectl::host
