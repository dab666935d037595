// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/cpu_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

using testing::HasSubstr;

TEST(CpuProfiles, TheBuiltInOnesNameTheirSources) {
  const auto profiles = BuiltInCpuProfiles();
  ASSERT_TRUE(profiles) << profiles.error().Text();
  EXPECT_GE(profiles->size(), 8U);
  for (const CpuProfile& profile : *profiles) {
    EXPECT_GE(profile.source.size(), 10U) << profile.name;
    EXPECT_GE(profile.figure.size(), 10U) << profile.name;
  }
}

TEST(CpuProfiles, ErrorsHaveTheirPlace) {
  const auto error = [](std::string_view text) {
    const auto profiles = ParseCpuProfiles(text);
    return profiles ? "no error" : profiles.error().message;
  };
  EXPECT_THAT(error("profiles: 3\n"), HasSubstr("1:1: expected a list"));
  EXPECT_THAT(error("profiles:\n  - {name: x}\n"), HasSubstr("2:5: a profile needs the key"));
  EXPECT_THAT(error("profiles:\n  - {name: x, vendor: via, pause_tsc_cycles: 9, figure: f, "
                    "source: s}\n"),
              HasSubstr("vendor: unknown value \"via\""));
  EXPECT_THAT(error("profiles:\n  - {name: x, vendor: amd, pause_tsc_cycles: 3, figure: f, "
                    "source: s}\n"),
              HasSubstr("pause_tsc_cycles"));
  const std::string one = "  - {name: x, vendor: amd, pause_tsc_cycles: 9, figure: f, source: s}\n";
  EXPECT_THAT(error("profiles:\n" + one + one), HasSubstr("3:5: there are two profiles x"));
}

}  // namespace
}  // namespace plectl::lab
