// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/detail_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace plectl::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Change n is at n ns, to window n + 1, written as the BPF program does.
WindowLog LogOf(uint64_t changes) {
  WindowLog log{};
  for (uint64_t i = 0; i < changes; ++i) {
    const auto window = static_cast<uint32_t>(i);
    log.entries[window_log_index(i)] = {
        .time_ns = i, .old_window = window, .new_window = window + 1};
    log.max = i + 1;
  }
  log.changes = changes;
  return log;
}

TEST(WindowTrack, OfNoChangeIsEmpty) {
  const WindowTrack track = TrackOf(LogOf(0));
  EXPECT_EQ(track.changes, 0U);
  EXPECT_THAT(track.first, IsEmpty());
  EXPECT_EQ(track.left_out(), 0U);
}

TEST(WindowTrack, HoldsTheFirstAndTheLastInOrder) {
  for (const uint64_t changes : {1U, 127U, 128U, 129U, 255U, 256U, 257U, 300U, 1000U}) {
    const WindowTrack track = TrackOf(LogOf(changes));
    EXPECT_EQ(track.changes, changes);
    EXPECT_EQ(track.max, changes);
    EXPECT_EQ(track.left_out(), changes > 256 ? changes - 256 : 0) << changes;
    for (size_t i = 0; i < track.first.size(); ++i) EXPECT_EQ(track.first[i].time_ns, int64_t(i));
    for (size_t i = 0; i < track.last.size(); ++i) {
      EXPECT_EQ(track.last[i].new_window, changes - track.last.size() + i + 1) << changes;
    }
  }
}

TEST(PauseRips, AreThoseOfTheTable) {
  const auto rips = std::make_unique<VcpuRips>();
  rips->entries[5] = {.rip = 0x100123, .exits = 7};
  rips->entries[63] = {.rip = 0x100200, .exits = 1};
  rips->other = 3;
  const PauseRips result = RipsOf(*rips);
  EXPECT_THAT(result.exits, ElementsAre(Pair(0x100123, 7), Pair(0x100200, 1)));
  EXPECT_EQ(result.other, 3U);
}

TEST(DirectedYields, NameTheirTargets) {
  VcpuYields yields{};
  yields.attempts = 5;
  yields.succeeded = 3;
  yields.boosted[2] = 1;
  yields.boosted[63] = 2;
  const DirectedYields result = YieldsOf(yields);
  EXPECT_EQ(result.attempts, 5U);
  EXPECT_EQ(result.succeeded, 3U);
  EXPECT_THAT(result.boosted, ElementsAre(Pair(2, 1), Pair(63, 2)));
}

TEST(ExitTimes, AreByReasonAndKnowTheExitThatNobodyFinished) {
  const auto times = std::make_unique<VcpuTimes>();
  SlotTimes& pause = times->slots[40];
  pause = {.count = 2, .unfinished = 0, .total_ns = 30, .min_ns = 10, .max_ns = 20, .log2_ns = {}};
  pause.log2_ns[3] = 1;
  pause.log2_ns[4] = 1;
  const auto by_reason = TimesOf(KvmModule::kIntel, *times, 30 + 1);
  ASSERT_EQ(by_reason.size(), 2U);
  const ExitTimes& of_pause = by_reason.at("PAUSE_INSTRUCTION");
  EXPECT_EQ(of_pause.count, 2U);
  EXPECT_THAT(of_pause.log2_ns, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_EQ(by_reason.at("IO_INSTRUCTION").count, 0U);
  EXPECT_EQ(by_reason.at("IO_INSTRUCTION").unfinished, 1U);
}

TEST(ExitTimes, AddUp) {
  ExitTimes sum;
  sum.Add({.count = 0, .unfinished = 1, .total_ns = 0, .min_ns = 0, .max_ns = 0, .log2_ns = {}});
  sum.Add({.count = 1,
           .unfinished = 0,
           .total_ns = 9,
           .min_ns = 9,
           .max_ns = 9,
           .log2_ns = {0, 0, 0, 1}});
  sum.Add(
      {.count = 2, .unfinished = 0, .total_ns = 8, .min_ns = 3, .max_ns = 5, .log2_ns = {0, 1, 1}});
  EXPECT_EQ(sum, (ExitTimes{.count = 3,
                            .unfinished = 1,
                            .total_ns = 17,
                            .min_ns = 3,
                            .max_ns = 9,
                            .log2_ns = {0, 1, 1, 1}}));
}

}  // namespace
}  // namespace plectl::host
