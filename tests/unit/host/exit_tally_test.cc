// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/exit_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace plectl::host {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

using Row = std::array<__u64, kExitSlots>;

TEST(ExitTally, AddsVcpuAfterVcpu) {
  Row first{};
  first[40] = 5;
  first[1] = 2;
  Row second{};
  second[40] = 7;
  ExitCounts counts;
  AddVcpuExits(KvmModule::kIntel, first, counts);
  AddVcpuExits(KvmModule::kIntel, second, counts);
  EXPECT_THAT(counts.by_reason,
              ElementsAre(Pair("EXTERNAL_INTERRUPT", 2), Pair("PAUSE_INSTRUCTION", 12)));
  EXPECT_EQ(counts.total.value(), 14U);
  EXPECT_EQ(counts.pause_exits.value(), 12U);
  ASSERT_EQ(counts.vcpus.size(), 2U);
  EXPECT_EQ(counts.vcpus[0].pause_exits, 5U);
  EXPECT_EQ(counts.vcpus[1].pause_exits, 7U);
  EXPECT_THAT(counts.vcpus[0].by_reason.value(),
              ElementsAre(Pair("EXTERNAL_INTERRUPT", 2), Pair("PAUSE_INSTRUCTION", 5)));
  EXPECT_THAT(counts.vcpus[1].by_reason.value(), ElementsAre(Pair("PAUSE_INSTRUCTION", 7)));
}

TEST(ExitTally, NoExitsAreAMeasuredZero) {
  ExitCounts counts;
  AddVcpuExits(KvmModule::kAmd, Row{}, counts);
  EXPECT_EQ(counts.total.value(), 0U);
  EXPECT_EQ(counts.pause_exits.value(), 0U);
  EXPECT_TRUE(counts.by_reason.empty());
}

TEST(ExitTally, EveryCodeHasASlotAndIsCounted) {
  Row row{};
  for (const uint32_t code : {0x77U, 0x400U, 0x40fU, 0x410U, 0x3ffU, UINT32_MAX}) {
    const uint64_t slot = slot_of_exit_code(code);
    ASSERT_LT(slot, row.size()) << code;
    ++row[slot];
  }
  ExitCounts counts;
  AddVcpuExits(KvmModule::kAmd, row, counts);
  EXPECT_EQ(counts.total.value(), 6U);
  EXPECT_THAT(counts.by_reason, ElementsAre(Pair("NPF", 1), Pair("OTHER", 3), Pair("PAUSE", 1),
                                            Pair("REASON_1039", 1)));
}

TEST(ExitTally, WhatHasNoReasonIsLost) {
  std::vector<VcpuRow> rows(2);
  rows[1].exits[40] = 5;
  EXPECT_EQ(UnknownReasonsBecause(rows), "");
  rows[0].exits[kOtherSlot] = 1;
  rows[1].exits[kOtherSlot] = 2;
  EXPECT_EQ(UnknownReasonsBecause(rows), "the reasons of 3 exits could not be read");
}

}  // namespace
}  // namespace plectl::host
