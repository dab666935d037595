// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/start_phase.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "host_tools/guests/thread_control.h"

namespace plectl::guests {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

Workload Of(uint32_t vcpus, std::vector<int> cpus) {
  Workload workload;
  workload.vcpus = vcpus;
  workload.cpus = std::move(cpus);
  return workload;
}

TEST(StartPhase, IsTheSameForTheSameSeedOnly) {
  const Workload workload = Of(4, {0});
  const StartPhase phase = DrawStartPhase(7, workload);
  EXPECT_EQ(phase.wait, DrawStartPhase(7, workload).wait);
  EXPECT_EQ(phase.spins, DrawStartPhase(7, workload).spins);
  EXPECT_NE(phase.wait, DrawStartPhase(8, workload).wait);
  EXPECT_NE(phase.spins, DrawStartPhase(8, workload).spins);
}

// The tick's phase is what the wait draws: each eighth of 4 ms must come as often as any other.
TEST(StartPhase, WaitsAreEvenlyDistributedOverTheTick) {
  constexpr size_t kBins = 8;
  constexpr int kDraws = 8000;
  std::array<int, kBins> drawn{};
  nanoseconds longest{0};
  for (int seed = 0; seed < kDraws; ++seed) {
    const nanoseconds wait = DrawStartPhase(static_cast<uint64_t>(seed), Of(1, {0})).wait;
    longest = std::max(longest, wait);
    const auto in_tick = static_cast<size_t>((wait % milliseconds(4)).count());
    ++drawn[in_tick * kBins / 4'000'000];
  }
  double chi_square = 0;
  for (const int count : drawn) {
    const double off = count - kDraws / static_cast<double>(kBins);
    chi_square += off * off / (kDraws / static_cast<double>(kBins));
  }
  EXPECT_LT(chi_square, 24.3) << "99.9 % of 7 degrees of freedom";
  EXPECT_GT(longest, milliseconds(8)) << "several ticks";
  EXPECT_LT(longest, milliseconds(12));
}

TEST(StartPhase, OnlyVcpusThatShareACpuStartAtDifferentTimes) {
  EXPECT_TRUE(DrawStartPhase(1, Of(2, {0, 1})).spins.empty());
  EXPECT_TRUE(DrawStartPhase(1, Of(1, {0})).spins.empty());
  EXPECT_EQ(DrawStartPhase(1, Of(3, {0, 1})).spins.size(), 3U);
  for (const nanoseconds spin : DrawStartPhase(1, Of(64, {0})).spins) {
    EXPECT_LT(spin, nanoseconds(500'000)) << "together at most 32 ms of a CPU";
  }
  EXPECT_EQ(DrawStartPhase(1, Of(2, {5, 5})).spins.size(), 2U) << "one CPU, named twice";
}

TEST(StartPhase, SpinningUsesCpuTime) {
  const int64_t before = UsageOfThisThread().cpu_ns;
  SpinFor(milliseconds(2));
  EXPECT_GE(UsageOfThisThread().cpu_ns - before, 2'000'000);
}

}  // namespace
}  // namespace plectl::guests
