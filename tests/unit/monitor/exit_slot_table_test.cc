// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/exit_slot_table.h"

#include <gtest/gtest.h>

#include <set>

#include "host_tools/host/exit_reasons.h"

namespace plectl::monitor {
namespace {

using host::KvmModule;

// The slot's name for a code.
std::string NameOf(const ExitSlotTable& table, uint32_t place) {
  return table.names[table.slot_of_code[place]];
}

class ExitSlots : public testing::TestWithParam<KvmModule> {};

TEST_P(ExitSlots, HaveOneNameEachAndKeepEveryNamedCodeApart) {
  const ExitSlotTable table = MakeExitSlotTable(GetParam());
  std::set<std::string> names;
  for (const std::string& name : table.names) {
    if (name.empty()) continue;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  for (uint32_t code = 0; code < kDirectCodes; ++code) {
    const std::string name = host::ExitReasonName(GetParam(), code);
    if (name.starts_with("REASON_")) continue;
    EXPECT_EQ(NameOf(table, code), name);
  }
}

TEST_P(ExitSlots, GiveWhatHasNoSlotToTheSharedOne) {
  const ExitSlotTable table = MakeExitSlotTable(GetParam());
  EXPECT_EQ(table.names[kUnnamedSlot], "OTHER");
  EXPECT_EQ(NameOf(table, kDirectCodes - 1), "OTHER");
}

INSTANTIATE_TEST_SUITE_P(Modules, ExitSlots, testing::Values(KvmModule::kIntel, KvmModule::kAmd));

TEST(ExitSlotTable, KnowsPause) {
  const ExitSlotTable intel = MakeExitSlotTable(KvmModule::kIntel);
  EXPECT_EQ(intel.names[intel.pause_slot], "PAUSE_INSTRUCTION");
  const ExitSlotTable amd = MakeExitSlotTable(KvmModule::kAmd);
  EXPECT_EQ(amd.names[amd.pause_slot], "PAUSE");
}

TEST(ExitSlotTable, HasTheHighCodesOfSvm) {
  const ExitSlotTable table = MakeExitSlotTable(KvmModule::kAmd);
  EXPECT_EQ(NameOf(table, kDirectCodes), "NPF");
}

TEST(ExitSlotTable, GivesVmxCodesOfTheFutureASlot) {
  EXPECT_EQ(NameOf(MakeExitSlotTable(KvmModule::kIntel), 80), "REASON_80");
}

}  // namespace
}  // namespace plectl::monitor
