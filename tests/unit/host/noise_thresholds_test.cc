// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_thresholds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using ::testing::HasSubstr;

constexpr int64_t kMsNs = 1'000'000;

NoiseRecord Quiet(int64_t window_ms) {
  NoiseRecord record;
  record.window_ns = window_ms * kMsNs;
  return record;
}

// What each quantity may be at most in a quiet trial of 10 ms and of 2 s, on one CPU and on four.
struct Limit {
  Q quantity;
  uint64_t in_10_ms;
  uint64_t in_2_s;
  uint64_t on_4_cpus_in_2_s;
  const char* says;
};
constexpr Limit kLimits[] = {
    {Q::kPgscanKswapd, 522, 2512, 2512, "kswapd reclaimed memory"},
    {Q::kPgscanDirect, 33, 232, 232, "tasks reclaimed memory themselves"},
    {Q::kAllocstall, 0, 2, 2, "allocations stalled"},
    {Q::kCompactStall, 10, 30, 30, "memory was compacted"},
    {Q::kPswpin, 33, 232, 232, "swapped in"},
    {Q::kPswpout, 33, 232, 232, "swapped out"},
    {Q::kOomKill, 0, 0, 0, "OOM killer"},
    {Q::kPsiMemorySomeUs, 600, 20'500, 20'500, "waited for memory"},
    {Q::kMemcgPgscan, 522, 2512, 2512, "a cgroup's limit"},
    {Q::kOwnPgscan, 33, 232, 232, "plectl's own cgroup"},
    {Q::kLimitEvents, 0, 0, 0, "hit its memory limit"},
    {Q::kOwnPsiMemorySomeUs, 600, 20'500, 20'500, "plectl's cgroup waited for memory"},
    {Q::kForeignNs, 1'100'000, 21'000'000, 84'000'000, "foreign tasks"},
    {Q::kStealNs, 10'100'000, 30'000'000, 120'000'000, "stolen"},
    {Q::kIrqNs, 20'500'000, 120'000'000, 480'000'000, "interrupts took"},
    {Q::kSoftirqNs, 20'500'000, 120'000'000, 480'000'000, "softirqs took"},
    {Q::kDeviceIrqs, 110, 2100, 8400, "devices interrupted"},
    {Q::kThrottleEvents, 0, 0, 0, "throttled"},
    {Q::kThrottledPeriods, 0, 0, 0, "CPU quota throttled"},
    {Q::kCgroupMoved, 0, 0, 0, "moved to another cgroup"},
    {Q::kStoppedNs, 3'200'000, 43'000'000, 43'000'000, "stopped, frozen, traced"},
    {Q::kLostNs, 5'200'000, 45'000'000, 180'000'000, "stood idle while vCPUs wanted to run"},
    {Q::kMoved, 0, 0, 0, "moved to other CPUs"},
    {Q::kMigrations, 0, 0, 0, "changed their CPU"},
    {Q::kRescheduled, 0, 0, 0, "nice value"},
    {Q::kTraced, 0, 0, 0, "were traced"},
    {Q::kOnlineChanges, 0, 0, 0, "CPUs went offline or came online"},
    {Q::kLimitChanges, 0, 0, 0, "frequency limits"},
    {Q::kSuspendedNs, 1'000'000, 1'000'000, 1'000'000, "suspended"},
    {Q::kClocksourceChanges, 0, 0, 0, "clock source changed"},
    {Q::kSmis, 0, 4, 16, "SMI"},
};

void ExpectLimit(const Limit& limit, int64_t window_ms, size_t cpus, uint64_t at_most) {
  NoiseRecord record = Quiet(window_ms);
  record.counts[limit.quantity] = at_most;
  EXPECT_EQ(DisturbedBecause(record, cpus), "") << limit.says << " " << at_most;
  record.counts[limit.quantity] = at_most + 1;
  const std::string because = DisturbedBecause(record, cpus);
  const auto& info = NoiseQuantities()[static_cast<size_t>(limit.quantity)];
  EXPECT_THAT(because, HasSubstr(limit.says));
  EXPECT_THAT(because, HasSubstr(std::string("; ") + std::string(info.group) + "." +
                                 std::string(info.name)));
  EXPECT_THAT(because, HasSubstr("(quiet: at most "));
}

TEST(NoiseThresholds, WhatIsJustBelowIsQuietAndWhatIsAboveIsADisturbance) {
  for (const Limit& limit : kLimits) {
    ExpectLimit(limit, 10, 1, limit.in_10_ms);
    ExpectLimit(limit, 2000, 1, limit.in_2_s);
    ExpectLimit(limit, 2000, 4, limit.on_4_cpus_in_2_s);
  }
}

TEST(NoiseThresholds, EachOneIsTestedHere) {
  std::set<Q> tested;
  for (const Limit& limit : kLimits) tested.insert(limit.quantity);
  for (const NoiseThreshold& threshold : NoiseThresholds()) {
    EXPECT_TRUE(tested.contains(threshold.quantity)) << threshold.happened;
    EXPECT_FALSE(threshold.next_step.empty());
    EXPECT_EQ(threshold.happened.find(';'), std::string_view::npos) << "; ends the first clause";
  }
  EXPECT_EQ(tested.size(), NoiseThresholds().size());
}

// "512", "2 ms/CPU" and so on in the quantity's own unit.
uint64_t NumberOf(std::string_view cell) {
  const uint64_t number = ParseUint(cell.substr(0, cell.find_first_not_of("0123456789"))).value();
  return cell.find(" ms") == std::string_view::npos ? number : number * kMsNs;
}

TEST(NoiseThresholds, TheDocumentationHasTheSameNumbers) {
  const std::string page = ReadFile(PLECTL_SOURCE_DIR "/docs/noise.md").value();
  const std::string_view text = std::string_view(page).substr(page.find("## Thresholds"));
  size_t found = 0;
  for (const NoiseThreshold& threshold : NoiseThresholds()) {
    const auto& info = NoiseQuantities()[static_cast<size_t>(threshold.quantity)];
    const std::string name = '`' + std::string(info.group) + '.' + std::string(info.name) + '`';
    for (const std::string_view line : Split(text, '\n')) {
      const std::vector<std::string_view> cells = Split(line, '|');
      if (cells.size() < 5 || cells[1].find(name) == std::string_view::npos) continue;
      ++found;
      EXPECT_EQ(NumberOf(Trim(cells[2])), threshold.at_most) << name;
      EXPECT_EQ(NumberOf(Trim(cells[3])), threshold.per_s) << name;
      const bool per_cpu = line.find("/CPU") != std::string_view::npos;
      EXPECT_EQ(per_cpu, threshold.per_cpu) << name;
    }
  }
  EXPECT_EQ(found, NoiseThresholds().size());
}

// The vCPUs' own doing: their overcommit, wake-ups, timers and kicks.
TEST(NoiseThresholds, WhatTheTrialDoesItselfIsNoDisturbance) {
  NoiseRecord record = Quiet(10);
  for (const Q quantity : {Q::kPsiCpuSomeUs, Q::kBusyNs, Q::kTimeslices, Q::kHostContextSwitches,
                           Q::kTimerIrqs, Q::kIpiIrqs, Q::kPsiIoSomeUs, Q::kPsiIoFullUs}) {
    record.counts[quantity] = 1'000'000'000;
  }
  EXPECT_EQ(DisturbedBecause(record, 1), "");
}

TEST(NoiseThresholds, WhatIsMissingIsNoDisturbance) {
  EXPECT_EQ(DisturbedBecause(NoiseRecord(), 1), "");
}

TEST(NoiseThresholds, CoarseForeignTimeMustExceedItsResolution) {
  NoiseRecord record = Quiet(10);
  record.counts[Q::kForeignResolutionNs] = 20'000'000;
  record.counts[Q::kForeignNs] = 21'100'000;
  EXPECT_EQ(DisturbedBecause(record, 1), "");
  record.counts[Q::kForeignNs] = 21'100'001;
  EXPECT_NE(DisturbedBecause(record, 1), "");
}

TEST(NoiseThresholds, AllThatHappenedStandsFirst) {
  NoiseRecord record = Quiet(1000);
  record.counts[Q::kAllocstall] = 8;
  record.counts[Q::kPswpin] = 900;
  record.counts[Q::kForeignNs] = 400'000'000;
  EXPECT_EQ(DisturbedBecause(record, 2),
            "allocations stalled, pages were swapped in, foreign tasks ran on the measured CPUs; "
            "vmstat.allocstall 8 stalls (quiet: at most 1), vmstat.pswpin 900 pages (quiet: at "
            "most 132), cpus.foreign_ns 400.0 ms (quiet: at most 22.0) in 1000 ms; free memory, "
            "or stop what fills it; keep other tasks off these CPUs (cpuset, isolcpus), or measure "
            "on others");
}

TEST(NoiseThresholds, NamesTheDevicesThatInterrupt) {
  NoiseRecord record = Quiet(10);
  record.counts[Q::kDeviceIrqs] = 500;
  record.top_irqs = {{"24 nvme0q1", 400}, {"25 eth0", 100}};
  EXPECT_THAT(
      DisturbedBecause(record, 1),
      HasSubstr("500 interrupts (24 nvme0q1: 400, 25 eth0: 100) (quiet: at most 110) in 10 ms"));
}

}  // namespace
}  // namespace plectl::host
