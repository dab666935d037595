// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LoadedModule, FindsTheOneThatIsLoaded) {
  EXPECT_EQ(*LoadedModule(RecordedHost("intel_ple")), KvmModule::kIntel);
  EXPECT_EQ(*LoadedModule(RecordedHost("intel_l1_guest")), KvmModule::kIntel);
  EXPECT_EQ(*LoadedModule(RecordedHost("intel_built_in")), KvmModule::kIntel);
  EXPECT_EQ(*LoadedModule(RecordedHost("amd_threshold")), KvmModule::kAmd);
}

TEST(LoadedModule, ChoosesByTheCpuWhenBothAreBuiltIn) {
  const FakeHost intel("intel_built_in");
  intel.Write("/sys/module/kvm_amd/parameters/pause_filter_count", "3000\n");
  EXPECT_EQ(*LoadedModule(intel.root()), KvmModule::kIntel);
  const FakeHost amd("amd_threshold");
  amd.Write("/sys/module/kvm_intel/parameters/ple_gap", "128\n");
  EXPECT_EQ(*LoadedModule(amd.root()), KvmModule::kAmd);
}

TEST(LoadedModule, NamesTheModuleThatServesKvmInstead) {
  const auto module = LoadedModule(RecordedHost("kvm_by_other_module"));
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(module.error().message, HasSubstr("/dev/kvm is served by kvm_pvm"));
  EXPECT_THAT(module.error().hint, HasSubstr("--host lab"));
}

TEST(LoadedModule, NamesAServerThatIsBuiltIn) {
  const FakeHost host("kvm_by_other_module");
  host.Remove("/sys/module/kvm/holders");
  host.Remove("/sys/module/kvm/initstate");
  host.Write("/sys/module/kvm/parameters/halt_poll_ns", "200000\n");
  host.Write("/sys/module/kvm_pvm/parameters/enable_hypercall", "Y\n");
  const auto module = LoadedModule(host.root());
  ASSERT_FALSE(module);
  EXPECT_THAT(module.error().message, HasSubstr("/dev/kvm is served by kvm_pvm, which has no PLE"));
}

TEST(LoadedModule, IsNotTakenForAbsentWhereItIsHidden) {
  const FakeHost host("intel_ple");
  host.Remove("/sys/module");
  host.Write("/proc/modules", "kvm_intel 344064 5 - Live 0x0000000000000000\n");
  const auto module = LoadedModule(host.root());
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().message,
            "kvm_intel is loaded (/proc/modules), but /sys/module does not show it here");
  EXPECT_THAT(module.error().hint, HasSubstr("on the host itself"));
  EXPECT_EQ(HiddenModule(host.root()), KvmModule::kIntel);
  host.Write("/proc/modules", "kvm_intel 344064 5 - Unloading 0x0000000000000000\n");
  EXPECT_THAT(LoadedModule(host.root()).error().message, HasSubstr("being unloaded just now"));
}

TEST(LoadedModule, SaysWhatStandsInTheWay) {
  const auto absent = LoadedModule(RecordedHost("no_kvm"));
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("neither vmx nor svm"));
  const auto unloaded = LoadedModule(RecordedHost("intel_not_loaded"));
  ASSERT_FALSE(unloaded);
  EXPECT_EQ(unloaded.error().kind, ErrorKind::kEnvironment);
  EXPECT_EQ(unloaded.error().hint, "sudo modprobe kvm_intel");
}

TEST(LoadedModule, SurvivesAnEmptyTree) { EXPECT_FALSE(LoadedModule(HostRoot("/nonexistent"))); }

TEST(IsBuiltIn, NeedsAModuleWithoutState) {
  EXPECT_TRUE(IsBuiltIn(RecordedHost("intel_built_in"), KvmModule::kIntel));
  EXPECT_FALSE(IsBuiltIn(RecordedHost("intel_ple"), KvmModule::kIntel));
  EXPECT_FALSE(IsBuiltIn(RecordedHost("no_kvm"), KvmModule::kIntel));
}

TEST(ReadParams, ReadsEveryOneWithoutItsNewline) {
  const ParamValues values = ReadParams(RecordedHost("intel_ple"), KvmModule::kIntel).value();
  EXPECT_EQ(values.size(), 26U);
  EXPECT_EQ(values.at("ple_window_max"), "4294967295");
  EXPECT_EQ(values.at("nested"), "Y");
  EXPECT_FALSE(ReadParams(RecordedHost("no_kvm"), KvmModule::kIntel));
}

TEST(SettableValues, KeepsAllOfARecordedIntelHost) {
  const ParamValues values = ReadParams(RecordedHost("intel_ple"), KvmModule::kIntel).value();
  EXPECT_EQ(SettableValues(values), values);
}

TEST(SettableValues, LeavesOutWhatTheKernelWouldRefuse) {
  const ParamValues values = {
      {"a", "not required"}, {"b", "EPT disabled"}, {"c", ""},     {"d", "(null)"},
      {"e", "???"},          {"f", "x\"y"},         {"g", "cond"}, {"h", "-1"}};
  EXPECT_EQ(SettableValues(values), (ParamValues{{"g", "cond"}, {"h", "-1"}}));
}

TEST(SettableValues, DoesNotTaintTheKernelWithForceAvic) {
  const ParamValues values = ReadParams(RecordedHost("amd_no_threshold"), KvmModule::kAmd).value();
  ASSERT_EQ(values.at("force_avic"), "N");
  const ParamValues settable = SettableValues(values);
  EXPECT_FALSE(settable.contains("force_avic"));
  EXPECT_EQ(settable.size() + 1, values.size());
  EXPECT_EQ(SettableValues({{"force_avic", "Y"}}).size(), 1U);
}

TEST(OptionString, JoinsWithSpaces) {
  EXPECT_EQ(OptionString({{"ple_gap", "0"}, {"nested", "Y"}}), "nested=Y ple_gap=0");
  EXPECT_EQ(OptionString({}), "");
}

TEST(Differences, NamesEachOne) {
  EXPECT_THAT(Differences({{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{"a", "1"}, {"b", "0"}}),
              ElementsAre("b is 0 instead of 2", "c is not there any more"));
}

struct Host {
  std::string name;
  KvmModule module;
  std::string off_because;  // empty: on
};

class WhyPleIsOffTest : public testing::TestWithParam<Host> {};

TEST_P(WhyPleIsOffTest, SaysWhy) {
  const HostRoot root = RecordedHost(GetParam().name);
  const ParamValues values = ReadParams(root, GetParam().module).value();
  const std::optional<std::string> why = WhyPleIsOff(root, GetParam().module, values).value();
  EXPECT_EQ(!why, GetParam().off_because.empty());
  EXPECT_THAT(why.value_or(""), HasSubstr(GetParam().off_because));
}

INSTANTIATE_TEST_SUITE_P(
    All, WhyPleIsOffTest,
    testing::Values(Host{"intel_ple", KvmModule::kIntel, ""},
                    Host{"intel_l1_guest", KvmModule::kIntel, "KVM never shows PLE to a guest"},
                    Host{"amd_threshold", KvmModule::kAmd, ""},
                    Host{"amd_no_threshold", KvmModule::kAmd, "no PFTHRESHOLD"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(WhyPleIsOff, NamesTheParameterThatTurnsItOff) {
  const HostRoot intel = RecordedHost("intel_ple");
  EXPECT_EQ(*WhyPleIsOff(intel, KvmModule::kIntel, {{"ple_gap", "0"}, {"ple_window", "4096"}}),
            "ple_gap=0 turns PAUSE exits off");
  // A window of 0 is not off: it makes nearly every pair of PAUSEs exit.
  EXPECT_EQ(*WhyPleIsOff(intel, KvmModule::kIntel, {{"ple_gap", "1"}, {"ple_window", "0"}}),
            std::nullopt);
  const HostRoot amd = RecordedHost("amd_threshold");
  EXPECT_EQ(*WhyPleIsOff(amd, KvmModule::kAmd,
                         {{"pause_filter_count", "0"}, {"pause_filter_thresh", "128"}}),
            "pause_filter_count=0 turns PAUSE exits off");
  EXPECT_EQ(*WhyPleIsOff(amd, KvmModule::kAmd,
                         {{"pause_filter_count", "9"}, {"pause_filter_thresh", "0"}}),
            "pause_filter_thresh=0 turns PAUSE exits off");
}

TEST(WhyForcedToZero, FollowsTheCpu) {
  EXPECT_TRUE(WhyForcedToZero(RecordedHost("intel_l1_guest"), KvmModule::kIntel, "ple_window_max"));
  EXPECT_FALSE(WhyForcedToZero(RecordedHost("intel_ple"), KvmModule::kIntel, "ple_window"));
  EXPECT_FALSE(WhyForcedToZero(RecordedHost("intel_l1_guest"), KvmModule::kIntel, "nested"));
  const HostRoot amd = RecordedHost("amd_no_threshold");
  EXPECT_TRUE(WhyForcedToZero(amd, KvmModule::kAmd, "pause_filter_thresh"));
  EXPECT_FALSE(WhyForcedToZero(amd, KvmModule::kAmd, "pause_filter_count"));
}

TEST(WhyForcedToZero, DoesNotGuessWhenTheKernelDoesNotListVmxFeatures) {
  const FakeHost host("intel_l1_guest");
  host.Write("/proc/cpuinfo", "processor : 0\nflags : vmx\n");  // before Linux 5.6
  EXPECT_FALSE(WhyForcedToZero(host.root(), KvmModule::kIntel, "ple_gap"));
}

}  // namespace
}  // namespace plectl::host
