// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <span>
#include <thread>
#include <vector>

#include "host_tools/base/file.h"
#include "host_tools/host/msr_counters.h"
#include "host_tools/host/noise_thresholds.h"
#include "host_tools/host/noise_watch.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr uint64_t kMsNs = 1'000'000;
const std::vector<int> kCpus = {0};

HostRoot Recorded(std::string_view when) {
  return HostRoot(std::filesystem::path(PLECTL_FIXTURES) / "noise" / when);
}

// A sample whose own CPU time and clocks are chosen, not this machine's.
NoiseSample Sample(const HostRoot& root, int64_t at_ms, uint64_t own_ms) {
  NoiseSample sample = TakeNoiseSample(root, kCpus, {}, MsrCounts(), NoiseMoment::kAfterTrial);
  sample.cpus_read_ns = at_ms * 1'000'000;
  sample.own_ns = own_ms * 1'000'000;
  return sample;
}

NoiseRecord RecordedNoise() {
  return NoiseBetween(Sample(Recorded("start"), 1000, 100), Sample(Recorded("end"), 6400, 4100), 1,
                      Count(200'000), 100);
}

TEST(NoiseSample, SaysWhatHappenedBetweenTwoRecordedMoments) {
  const NoiseRecord record = RecordedNoise();
  EXPECT_EQ(record.window_ns, 5'400'000'000);
  EXPECT_EQ(record.counts[Q::kPgscanKswapd], Count(55339));
  EXPECT_EQ(record.counts[Q::kAllocstall], Count(8));
  EXPECT_EQ(record.counts[Q::kMemcgPgscan], Count(28526)) << "all but vmstat's";
  EXPECT_EQ(record.counts[Q::kOwnPgscan], Count(28526));
  EXPECT_EQ(record.counts[Q::kLimitEvents], Count(689));
  EXPECT_EQ(record.counts[Q::kPsiMemorySomeUs], Count(1'280'729));
  EXPECT_EQ(record.counts[Q::kPsiCpuSomeUs], Count(1'478'707 - 651'657));
  EXPECT_EQ(record.counts[Q::kBusyNs], Count(8'602'829'096 - 3'212'213'096));
  EXPECT_EQ(record.counts[Q::kForeignNs], Count(8'602'829'096 - 3'212'213'096 - 4'000'000'000));
  EXPECT_EQ(record.counts[Q::kForeignResolutionNs], Count(0));
  EXPECT_EQ(record.counts[Q::kTimeslices], Count(3115 - 1173));
  EXPECT_EQ(record.counts[Q::kHostContextSwitches], Count(3117 - 1174));
  EXPECT_EQ(record.counts[Q::kTimerIrqs], Count(2157 - 800));
  EXPECT_EQ(record.counts[Q::kDeviceIrqs], Count(0));
  EXPECT_EQ(record.counts[Q::kFreePagesEnd], Count(18777));
  EXPECT_NE(record.counts[Q::kFreePagesStart], record.counts[Q::kFreePagesEnd]);
  EXPECT_EQ(record.counts[Q::kThrottleEvents], Count(0));
  EXPECT_EQ(record.worst_zone, "Node 0, zone DMA32");
  EXPECT_TRUE(record.top_irqs.empty());
}

TEST(NoiseSample, RealReclaimIsADisturbance) {
  const std::string because = DisturbedBecause(RecordedNoise(), 1);
  for (const char* says :
       {"kswapd reclaimed memory", "a cgroup's limit made it reclaim memory",
        "plectl's cgroup hit its memory limit", "foreign tasks ran on the measured CPUs",
        "vmstat.pgscan_kswapd 55339 pages (quiet: at most 5912)"}) {
    EXPECT_THAT(because, HasSubstr(says));
  }
}

TEST(NoiseSample, NothingHappensBetweenTheSameMoments) {
  const NoiseSample sample = Sample(Recorded("start"), 1000, 100);
  const NoiseRecord record = NoiseBetween(sample, sample, 1, Count(200'000), 100);
  EXPECT_EQ(record.counts[Q::kPgscanKswapd], Count(0));
  EXPECT_EQ(record.counts[Q::kForeignNs], Count(0));
  EXPECT_EQ(DisturbedBecause(record, 1), "");
}

TEST(NoiseSample, OfAHostWithoutTheseFilesAllIsMissingWithItsReason) {
  const TempDir empty;
  const NoiseSample sample = Sample(HostRoot(empty.path()), 1000, 100);
  const NoiseRecord record =
      NoiseBetween(sample, sample, 1, Count::Missing("no TSC conversion"), 100);
  for (const NoiseQuantityInfo& info : NoiseQuantities()) {
    if (info.quantity == Q::kForeignResolutionNs) continue;
    const Count& count = record.counts[info.quantity];
    ASSERT_FALSE(count.has_value()) << info.name;
    EXPECT_NE(count.missing_because(), "") << info.name;
  }
  EXPECT_EQ(DisturbedBecause(record, 1), "");
}

TEST(NoiseSample, WithoutSchedstatForeignTimeComesFromIdleTicks) {
  NoiseSample start = Sample(Recorded("start"), 1000, 100);
  NoiseSample end = Sample(Recorded("end"), 1200, 250);
  start.run_ns = {Count::Missing("none")};
  start.idle_ns = 500'000'000;
  end.idle_ns = 520'000'000;
  const NoiseRecord record = NoiseBetween(start, end, 1, Count(1), 100);
  EXPECT_EQ(record.counts[Q::kBusyNs], Count(180'000'000));
  EXPECT_EQ(record.counts[Q::kForeignNs], Count(30'000'000));
  EXPECT_EQ(record.counts[Q::kForeignResolutionNs], Count(20'000'000));
}

// Only then there is a pressure of interrupts.
TEST(NoiseSample, WhereInterruptsCountAsForeignTheTrialsOwnAreAllowedFor) {
  NoiseSample start = Sample(Recorded("start"), 1000, 100);
  const NoiseSample end = Sample(Recorded("end"), 6400, 4100);
  EXPECT_FALSE(start.has_irq_time);
  start.has_irq_time = true;
  const NoiseRecord record = NoiseBetween(start, end, 1, Count(1), 100);
  const uint64_t fired = record.counts[Q::kTimerIrqs].value() + record.counts[Q::kIpiIrqs].value() +
                         record.counts[Q::kTlbIrqs].value();
  EXPECT_GT(fired, 1000U);
  EXPECT_EQ(record.counts[Q::kForeignResolutionNs], Count(fired * 10'000));
}

TEST(NoiseSample, ACounterThatWentBackIsMissing) {
  const NoiseRecord record = NoiseBetween(Sample(Recorded("end"), 1000, 100),
                                          Sample(Recorded("start"), 1100, 200), 1, Count(1), 100);
  EXPECT_EQ(record.counts[Q::kPgscanKswapd],
            Count::Missing("the counter went back from 55339 to 0"));
}

TEST(NoiseSample, AMoveToAnotherCgroupLeavesNoFigures) {
  const NoiseSample start = Sample(Recorded("start"), 1000, 100);
  NoiseSample end = Sample(Recorded("end"), 1100, 200);
  end.cgroup = "/elsewhere";
  const NoiseRecord record = NoiseBetween(start, end, 1, Count(1), 100);
  EXPECT_THAT(record.counts[Q::kOwnPgscan].missing_because(), HasSubstr("another cgroup"));
}

TEST(NoiseSample, TheRootCgroupHasNoLimitsOfItsOwn) {
  const TempDir host;
  std::filesystem::copy(Recorded("end").Path("/"), host.path(),
                        std::filesystem::copy_options::recursive);
  const auto cgroup = [&](const char* text) {
    ASSERT_TRUE(WriteFileAtomically(host.path() / "proc/self/cgroup", text));
  };
  cgroup("0::/\n");
  const NoiseSample root = Sample(HostRoot(host.path()), 0, 0);
  EXPECT_THAT(root.counts[Q::kOwnPgscan].missing_because(), HasSubstr("root cgroup"));
  EXPECT_EQ(root.all_pgscan, Count(84353));
  cgroup("1:cpu:/x\n");
  EXPECT_THAT(Sample(HostRoot(host.path()), 0, 0).counts[Q::kLimitEvents].missing_because(),
              HasSubstr("no cgroup of version 2"));
  // Limits above count too, and a cgroup namespace shows only a part of the tree.
  cgroup("0::/limited/inner/most\n");
  EXPECT_EQ(Sample(HostRoot(host.path()), 0, 0).counts[Q::kLimitEvents], Count(689));
  ASSERT_TRUE(WriteFileAtomically(host.path() / "sys/fs/cgroup/memory.events", "max 1\n"));
  ASSERT_TRUE(WriteFileAtomically(host.path() / "sys/fs/cgroup/memory.events.local", "max 11\n"));
  const NoiseSample hidden = Sample(HostRoot(host.path()), 0, 0);
  EXPECT_EQ(hidden.counts[Q::kLimitEvents], Count(700));
  EXPECT_THAT(hidden.all_pgscan.missing_because(), HasSubstr("namespace hides"));
}

TEST(NoiseSample, AnyMoveToAnotherCgroupIsADisturbance) {
  const NoiseSample start = Sample(Recorded("start"), 1000, 100);
  NoiseSample end = Sample(Recorded("start"), 1100, 200);
  end.settings.cgroups = "4:cpu:/slow\n0::/limited";
  const NoiseRecord record = NoiseBetween(start, end, 1, Count(1), 100);
  EXPECT_EQ(record.counts[Q::kCgroupMoved], Count(1));
  EXPECT_THAT(DisturbedBecause(record, 1), HasSubstr("moved to another cgroup"));
}

// A file of a host tree.
void Write(const TempDir& host, const std::string& path, std::string_view text) {
  const auto file = host.path() / path;
  ASSERT_TRUE(MakeDirectories(file.parent_path()));
  ASSERT_TRUE(WriteFileAtomically(file, text));
}

TEST(NoiseSample, AQuotaOfTheOwnCgroupOrOneAboveIsSeenInBothVersions) {
  const TempDir host;
  const HostRoot root(host.path());
  const auto throttled = [&] { return Sample(root, 0, 0).counts; };
  Write(host, "proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  Write(host, "proc/self/cgroup", "0::/a.slice/b\n");
  EXPECT_THAT(throttled()[Q::kThrottledPeriods].missing_because(), HasSubstr("there is no"));
  Write(host, "sys/fs/cgroup/a.slice/cpu.stat",
        "usage_usec 9\nnr_periods 50\nnr_throttled 4\nthrottled_usec 300\nnr_bursts 7\n");
  Write(host, "sys/fs/cgroup/a.slice/b/cpu.stat", "nr_throttled 3\nthrottled_usec 20\n");
  EXPECT_EQ(throttled()[Q::kThrottledPeriods], Count(7));
  EXPECT_EQ(throttled()[Q::kThrottledUs], Count(320));
  // A hybrid host has the cpu controller in version 1, with nanoseconds.
  Write(host, "proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        "32 23 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  Write(host, "proc/self/cgroup", "3:cpu,cpuacct:/c\n0::/a.slice/b\n");
  Write(host, "sys/fs/cgroup/cpu,cpuacct/c/cpu.stat",
        "nr_periods 50\nnr_throttled 9\nthrottled_time 800000\n");
  EXPECT_EQ(throttled()[Q::kThrottledPeriods], Count(9));
  EXPECT_EQ(throttled()[Q::kThrottledUs], Count(800));
}

TEST(NoiseSample, SettingsThatChangeUnderATrialAreDisturbances) {
  const TempDir host;
  const HostRoot root(host.path());
  const std::string system = "sys/devices/system/";
  const std::string source = system + "clocksource/clocksource0/current_clocksource";
  Write(host, system + "cpu/online", "0-3\n");
  Write(host, source, "tsc\n");
  Write(host, system + "cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  const NoiseSample start = Sample(root, 1000, 100);
  Write(host, system + "cpu/online", "0-2\n");
  Write(host, source, "hpet\n");
  Write(host, system + "cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  const NoiseSample end = Sample(root, 1100, 200);
  EXPECT_EQ(DisturbedBecause(NoiseBetween(start, start, 1, Count(1), 100), 1), "");
  const std::string because = DisturbedBecause(NoiseBetween(start, end, 1, Count(1), 100), 1);
  for (const char* says : {"CPUs went offline", "clock source changed", "governor or frequency"}) {
    EXPECT_THAT(because, HasSubstr(says));
  }
}

TEST(NoiseSample, TheLinesThatFiredMostComeFirst) {
  NoiseSample start;
  NoiseSample end;
  start.irqs = {{"24 nvme0q1", 100}, {"25 eth0", 5}};
  end.irqs = {{"24 nvme0q1", 107}, {"25 eth0", 5}, {"26 eth1", 9}, {"27 a", 1}, {"28 b", 30}};
  EXPECT_THAT(NoiseBetween(start, end, 1, Count(1), 100).top_irqs,
              ElementsAre(Pair("28 b", 30), Pair("26 eth1", 9), Pair("24 nvme0q1", 7)));
}

TEST(NoiseSample, AverageFrequencyIsAperfOverMperf) {
  NoiseSample start;
  NoiseSample end;
  start.msr = {Count(1000), Count(500), Count(2)};
  end.msr = {Count(4000), Count(2500), Count(3)};
  EXPECT_EQ(NoiseBetween(start, end, 1, Count(2'000'000), 100).counts[Q::kAverageKhz],
            Count(3'000'000));
  end.msr.mperf = 500;
  EXPECT_THAT(
      NoiseBetween(start, end, 1, Count(2'000'000), 100).counts[Q::kAverageKhz].missing_because(),
      HasSubstr("MPERF did not advance"));
}

TEST(NoiseSample, WithoutMperfTheCpusFrequencyIsReadAtBothEnds) {
  const TempDir host;
  for (const int cpu : {0, 1}) {
    const auto folder =
        host.path() / ("sys/devices/system/cpu/cpu" + std::to_string(cpu)) / "cpufreq";
    ASSERT_TRUE(MakeDirectories(folder));
    ASSERT_TRUE(
        WriteFileAtomically(folder / "scaling_cur_freq", cpu == 0 ? "1000000\n" : "3000000\n"));
  }
  const std::vector<int> cpus = {0, 1};
  const HostRoot root(host.path());
  const auto khz = [&](const MsrCounts& msr) {
    return TakeNoiseSample(root, cpus, {}, msr, NoiseMoment::kAfterTrial).counts[Q::kKhzStart];
  };
  EXPECT_EQ(khz(MsrCounts()), Count(2'000'000));
  const MsrCounts silicon = {Count(5), Count(6), Count(0)};
  EXPECT_FALSE(khz(silicon).has_value());
}

TEST(MsrCounters, ReadsPerfsEventFiles) {
  EXPECT_EQ(ParsePerfEventConfig("event=0x04"), 4U);
  for (const char* bad : {"", "event=", "event=0x", "event=0xg", "event=4", "0x04", "event=0x4 "}) {
    EXPECT_FALSE(ParsePerfEventConfig(bad)) << bad;
  }
}

TEST(MsrCounters, AreOfTheRealHostOnly) {
  MsrCounters recorded(Recorded("start"));
  EXPECT_THAT(recorded.Read(kCpus).smis.missing_because(), HasSubstr("real host"));
  const TempDir empty;
  MsrCounters none((HostRoot(empty.path())));
  EXPECT_THAT(none.Read(kCpus).aperf.missing_because(), HasSubstr("events/aperf"));
}

// What it does itself between the two samples, on whatever CPU, hides nothing of what others do: of
// its threads only those count as own that the caller names.
TEST(NoiseSample, OwnTimeIsOfTheVcpusThreadsAndTheSamplingOne) {
  const TempDir empty;
  const HostRoot root(empty.path());
  const auto own_ns = [&](std::span<const pid_t> tids) {
    return TakeNoiseSample(root, kCpus, tids, MsrCounts(), NoiseMoment::kAfterTrial).own_ns.value();
  };
  std::atomic<pid_t> tid = 0;
  std::atomic<bool> ends = false;
  std::thread busy([&] {
    timespec used{};
    while (used.tv_nsec < 50'000'000 && used.tv_sec == 0) {
      ASSERT_EQ(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    }
    tid = ::gettid();
    ends.wait(false);
  });
  while (tid == 0) std::this_thread::yield();
  const std::vector<pid_t> tids = {tid};
  const uint64_t alone_ns = own_ns({});
  const uint64_t with_it_ns = own_ns(tids);
  EXPECT_GE(with_it_ns, alone_ns + 50 * kMsNs);
  ends = true;
  ends.notify_one();
  busy.join();
  EXPECT_FALSE(
      TakeNoiseSample(root, kCpus, tids, MsrCounts(), NoiseMoment::kAfterTrial).own_ns.has_value());
}

TEST(NoiseWatch, ReadsTheHostTwice) {
  NoiseWatch watch(Recorded("start"));
  watch.Begin(std::vector<int>{0, 0}, {});
  const NoiseRecord record = watch.End();
  EXPECT_EQ(watch.RunNsOn(0), Count(0));
  EXPECT_THAT(watch.RunNsOn(1).missing_because(), HasSubstr("not one of"));
  EXPECT_GE(record.window_ns, 0);
  EXPECT_EQ(record.counts[Q::kPgscanDirect], Count(0));
  EXPECT_EQ(record.counts[Q::kBusyNs], Count(0)) << "CPU 0 is one CPU";
  EXPECT_EQ(DisturbedBecause(record, 1), "");
}

}  // namespace
}  // namespace plectl::host
