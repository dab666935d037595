// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/cpu_info.h"

#include <gtest/gtest.h>

namespace plectl::host {
namespace {

constexpr std::string_view kText =
    "processor\t: 0\n"
    "model name\t: Some CPU @ 3.40GHz: a\n"
    "flags\t\t: fpu vmx\n"
    "vmx flags\t: vnmi ple\n"
    "\n"
    "processor\t: 1\n"
    "bogomips\t: 5\n";

TEST(CpuInfo, ReadsTheFirstProcessor) {
  const CpuInfo info = CpuInfo::Parse(kText);
  EXPECT_EQ(info.Field("processor"), "0");
  EXPECT_EQ(info.Field("model name"), "Some CPU @ 3.40GHz: a");
  EXPECT_EQ(info.Field("bogomips"), std::nullopt);
}

TEST(CpuInfo, TellsNoFlagFromNoList) {
  const CpuInfo info = CpuInfo::Parse(kText);
  EXPECT_EQ(info.HasFlag("vmx flags", "ple"), true);
  EXPECT_EQ(info.HasFlag("flags", "ple"), false);
  EXPECT_EQ(info.HasFlag("flags", "vm"), false);
  EXPECT_EQ(info.HasFlag("svm flags", "ple"), std::nullopt);
}

TEST(CpuInfo, TakesAnyText) { EXPECT_EQ(CpuInfo::Parse("\n\nno colon").Field(""), std::nullopt); }

}  // namespace
}  // namespace plectl::host
