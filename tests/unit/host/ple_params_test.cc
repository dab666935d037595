// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/ple_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::host {
namespace {

using testing::HasSubstr;

ParamValues IntelDefaults() {
  ParamValues values;
  for (const PleParam& param : PleParams(KvmModule::kIntel)) {
    values.emplace(param.name, std::to_string(param.kernel_default));
  }
  return values;
}

TEST(PleParams, ListsTheSameFiveThingsForBothModules) {
  EXPECT_EQ(PleParams(KvmModule::kIntel).size(), 5U);
  EXPECT_EQ(PleParams(KvmModule::kAmd).size(), 5U);
  EXPECT_EQ(PleParams(KvmModule::kIntel)[0].name, "ple_window");
  EXPECT_EQ(PleParams(KvmModule::kAmd)[0].name, "pause_filter_count");
  EXPECT_EQ(PleParams(KvmModule::kIntel)[4].name, "ple_gap");
  EXPECT_EQ(PleParams(KvmModule::kAmd)[4].name, "pause_filter_thresh");
}

TEST(PleParams, KernelDefaultsPassTheirOwnCheck) {
  for (const KvmModule module : {KvmModule::kIntel, KvmModule::kAmd}) {
    ParamValues values;
    for (const PleParam& param : PleParams(module)) {
      values.emplace(param.name, std::to_string(param.kernel_default));
    }
    EXPECT_TRUE(CheckPleValues(module, values));
  }
}

TEST(ModuleFromName, KnowsBothAndNothingElse) {
  EXPECT_EQ(ModuleFromName("kvm_intel"), KvmModule::kIntel);
  EXPECT_EQ(ModuleFromName("kvm_amd"), KvmModule::kAmd);
  EXPECT_EQ(ModuleFromName("kvm"), std::nullopt);
  EXPECT_EQ(ModuleFromName(""), std::nullopt);
}

TEST(ModuleOfParams, FindsTheModule) {
  EXPECT_EQ(*ModuleOfParams({"ple_gap", "ple_window"}), KvmModule::kIntel);
  EXPECT_EQ(*ModuleOfParams({"pause_filter_count"}), KvmModule::kAmd);
  EXPECT_EQ(*ModuleOfParams({}), std::nullopt);
}

TEST(ModuleOfParams, SuggestsForAnUnknownName) {
  const auto result = ModuleOfParams({"ple_windw"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(result.error().message, HasSubstr("did you mean \"ple_window\"?"));
  EXPECT_THAT(result.error().hint, HasSubstr("pause_filter_thresh"));
}

TEST(ModuleOfParams, RefusesMixedVendorsAndNamesTheEquivalent) {
  const auto result = ModuleOfParams({"ple_gap", "pause_filter_count"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(result.error().message, HasSubstr("pause_filter_count is a parameter of kvm_amd"));
  EXPECT_THAT(result.error().hint, HasSubstr("ple_window"));
}

struct Equivalent {
  KvmModule module;
  std::string foreign;
  std::string own;
};

class CheckParamsBelongToTest : public testing::TestWithParam<Equivalent> {};

TEST_P(CheckParamsBelongToTest, NamesTheEquivalent) {
  const Status status = CheckParamsBelongTo(GetParam().module, {GetParam().foreign});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(status.error().hint, HasSubstr(" is " + GetParam().own + " ("));
  EXPECT_TRUE(CheckParamsBelongTo(GetParam().module, {GetParam().own}));
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckParamsBelongToTest,
    testing::Values(Equivalent{KvmModule::kAmd, "ple_gap", "pause_filter_thresh"},
                    Equivalent{KvmModule::kAmd, "ple_window", "pause_filter_count"},
                    Equivalent{KvmModule::kAmd, "ple_window_grow", "pause_filter_count_grow"},
                    Equivalent{KvmModule::kIntel, "pause_filter_count_shrink", "ple_window_shrink"},
                    Equivalent{KvmModule::kIntel, "pause_filter_count_max", "ple_window_max"}));

class BadValueTest : public testing::TestWithParam<std::string> {};

TEST_P(BadValueTest, IsRefused) {
  const Status status = CheckPleValues(KvmModule::kIntel, {{"ple_window", GetParam()}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(status.error().hint, HasSubstr("from 0 to 4294967295"));
}

INSTANTIATE_TEST_SUITE_P(All, BadValueTest,
                         testing::Values("", "-1", "4294967296", "0x10", "010", " 5", "5 ", "5\n",
                                         "1e3", "Y", "99999999999999999999999", "4096 nested=0"));

TEST(CheckPleValues, KnowsTheRangeOfEachModule) {
  EXPECT_TRUE(CheckPleValues(KvmModule::kIntel, {{"ple_window", "4294967295"}}));
  EXPECT_TRUE(CheckPleValues(KvmModule::kAmd, {{"pause_filter_count", "65535"}}));
  EXPECT_FALSE(CheckPleValues(KvmModule::kAmd, {{"pause_filter_count", "65536"}}));
}

TEST(CheckPleValues, LeavesOtherParametersAlone) {
  EXPECT_TRUE(CheckPleValues(KvmModule::kIntel, {{"nested", "Y"}, {"vmentry_l1d_flush", "???"}}));
}

struct Combination {
  ParamValues changed;
  std::string refused_for;  // empty: fine
};

class CombinationTest : public testing::TestWithParam<Combination> {};

TEST_P(CombinationTest, IsJudgedAsTheKernelsFormulasDo) {
  ParamValues values = IntelDefaults();
  for (const auto& [name, value] : GetParam().changed) values[name] = value;
  const Status status = CheckPleValues(KvmModule::kIntel, values);
  EXPECT_EQ(status.has_value(), GetParam().refused_for.empty());
  const std::string message = status ? "" : status.error().message;
  EXPECT_THAT(message, HasSubstr(GetParam().refused_for));
}

INSTANTIATE_TEST_SUITE_P(
    All, CombinationTest,
    testing::Values(
        Combination{{{"ple_window_grow", "4095"}}, ""},
        Combination{{{"ple_window_grow", "4096"}}, "ple_window_grow=4096 is at or above"},
        Combination{{{"ple_window_shrink", "4095"}}, ""},
        Combination{{{"ple_window_shrink", "8192"}}, "wrap below zero"},
        Combination{{{"ple_window", "2"}}, "ple_window_grow=2"},
        Combination{{{"ple_window", "1"}, {"ple_window_grow", "1"}}, "ple_window_grow=1"},
        Combination{{{"ple_window", "0"}, {"ple_window_grow", "0"}}, ""},
        Combination{{{"ple_window_max", "4095"}}, "ple_window_max=4095 is below"},
        Combination{{{"ple_window_max", "4096"}}, ""}, Combination{{{"ple_gap", "0"}}, ""},
        // What KVM leaves on a host without PLE.
        Combination{{{"ple_window", "0"},
                     {"ple_window_grow", "0"},
                     {"ple_window_max", "0"},
                     {"ple_gap", "0"}},
                    ""}));

}  // namespace
}  // namespace plectl::host
