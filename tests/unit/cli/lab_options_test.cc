// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::cli {
namespace {

lab::LabOptions WithProfile() {
  lab::LabOptions options;
  options.profile = lab::FindLabCpu("skylake-client")->profile;
  return options;
}

TEST(RelaxTscCyclesInLab, AreWhatWasGiven) {
  EXPECT_EQ(RelaxTscCyclesInLab(0, {}), 0U);
  EXPECT_EQ(RelaxTscCyclesInLab(77, {}), 77U);
}

TEST(RelaxTscCyclesInLab, AreTheProfiles) {
  EXPECT_EQ(RelaxTscCyclesInLab(0, WithProfile()), 140U);
  EXPECT_EQ(RelaxTscCyclesInLab(140, WithProfile()), 140U);
}

TEST(RelaxTscCyclesInLab, AreNotBoth) {
  const auto both = RelaxTscCyclesInLab(77, WithProfile());
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(both.error().message,
              testing::HasSubstr("--relax-tsc-cycles 77 was given, but a PAUSE of --lab-cpu "
                                 "skylake-client costs 140"));
}

}  // namespace
}  // namespace plectl::cli
