// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/exit_reasons.h"

#include <gtest/gtest.h>

namespace plectl::host {
namespace {

// SDM vol. 3D, appendix C; APM vol. 2, appendix C.
TEST(ExitReasons, PauseExitsHaveTheCodesOfTheManuals) {
  EXPECT_EQ(PauseExitCode(KvmModule::kIntel), 40U);
  EXPECT_EQ(PauseExitCode(KvmModule::kAmd), 0x77U);
}

TEST(ExitReasons, HaveTheKernelsNames) {
  EXPECT_EQ(ExitReasonName(KvmModule::kIntel, 40), "PAUSE_INSTRUCTION");
  EXPECT_EQ(ExitReasonName(KvmModule::kIntel, 1), "EXTERNAL_INTERRUPT");
  EXPECT_EQ(ExitReasonName(KvmModule::kIntel, 48), "EPT_VIOLATION");
  EXPECT_EQ(ExitReasonName(KvmModule::kAmd, 0x77), "PAUSE");
  EXPECT_EQ(ExitReasonName(KvmModule::kAmd, 0x400), "NPF");
}

TEST(ExitReasons, AreWrittenAlikeForBothVendors) {
  EXPECT_EQ(ExitReasonName(KvmModule::kAmd, 0x40 + 6), "UD_EXCP");
}

TEST(ExitReasons, KnowSvmsNegativeCode) {
  EXPECT_EQ(ExitReasonName(KvmModule::kAmd, UINT32_MAX), "INVALID_GUEST_STATE");
}

TEST(ExitReasons, GiveTheNumberOfAnUnknownCode) {
  EXPECT_EQ(ExitReasonName(KvmModule::kIntel, 200), "REASON_200");
}

}  // namespace
}  // namespace plectl::host
