// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/install_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace plectl::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Effect = InstallLine::Effect;

ModprobeConfig Config(std::string_view text) {
  return {ParseModprobeFile(text, "f"), ParseModprobeRules(text, "f"), {}};
}

Effect EffectOf(const std::string& command) {
  return FindInstallLine(Config("install kvm_intel " + command + "\n"), "kvm_intel")->effect;
}

// "place name=value" of each option of kvm_intel at its next load.
std::vector<std::string> NextOptions(std::string_view text, bool built_in = false) {
  std::vector<std::string> texts;
  for (const ModuleOption& option : OptionsAtNextLoad(Config(text), "kvm_intel", built_in)) {
    texts.push_back(PlaceText(option) + " " + option.name + "=" + option.value.value_or(""));
  }
  return texts;
}

TEST(InstallLine, ThatLoadsNothingIsKnown) {
  for (const std::string command :
       {"/bin/false", "/bin/true", "/usr/bin/false", "false", "true", ":", "/bin/false # no KVM",
        "/bin/sh -c false", "exit 1", "logger no kvm here; /bin/false", ""}) {
    EXPECT_EQ(EffectOf(command),
              command.starts_with("/bin/sh") ? Effect::kUnknown : Effect::kRefuses)
        << command;
  }
}

TEST(InstallLine, ThatLoadsByAProgramIsNotGuessed) {
  for (const std::string command :
       {"/usr/local/sbin/load_kvm", "modprobe kvm", "modprobe other --ignore-install",
        "/sbin/modprobe kvm_intel", "insmod /x/kvm.ko ple_gap=0"}) {
    EXPECT_EQ(EffectOf(command), Effect::kUnknown) << command;
  }
}

TEST(InstallLine, OptionsComeAfterAllOthers) {
  EXPECT_THAT(NextOptions("install kvm_intel /sbin/modprobe --ignore-install kvm_intel ple_gap=0\n"
                          "options kvm_intel ple_gap=64\n"),
              ElementsAre("f:2 ple_gap=64", "f:1 ple_gap=0"));
  EXPECT_THAT(NextOptions("install kvm-intel modprobe kvm; modprobe -qi kvm-intel $CMDLINE_OPTS "
                          "ple-gap=0 && logger 'a=b'\n"),
              ElementsAre("f:1 ple_gap=0"));
  EXPECT_THAT(NextOptions("install kvm* { modprobe -i kvm_intel ple_window=\"512\"; }\n"),
              ElementsAre("f:1 ple_window=512"));
}

TEST(InstallLine, OfInsmodKnowsNoOtherOptions) {
  EXPECT_THAT(NextOptions("options kvm_intel ple_gap=64 nested=0\n"
                          "install kvm_intel insmod /lib/modules/x/kvm-intel.ko.xz ple_gap=1\n"),
              ElementsAre("f:2 ple_gap=1"));
}

TEST(InstallLine, TheFirstOfTwoCounts) {
  EXPECT_THAT(NextOptions("install kvm_intel modprobe -i kvm_intel ple_gap=1\n"
                          "install kvm_intel modprobe -i kvm_intel ple_gap=2\n"),
              ElementsAre("f:1 ple_gap=1"));
  EXPECT_FALSE(FindInstallLine(Config("install kvm_amd /bin/false\n"), "kvm_intel"));
}

TEST(InstallLine, IsNothingToABuiltInModule) {
  EXPECT_THAT(NextOptions("options kvm_intel ple_gap=64\n"
                          "install kvm_intel modprobe -i kvm_intel ple_gap=1\n",
                          true),
              IsEmpty());
}

TEST(ModprobeRules, AreReadFromFilesAndTheCommandLine) {
  const auto rules = ParseModprobeRules(
      "# install x y\ninstall\nblacklist kvm-intel\n softdep kvm_intel pre: a \\\n post: b\n", "f");
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].kind, ModuleRule::Kind::kBlacklist);
  EXPECT_EQ(PlaceText(rules[0]) + rules[0].pattern, "f:3kvm_intel");
  EXPECT_EQ(rules[1].text, "pre: a  post: b");
  const ModprobeConfig config{
      {},
      ParseCommandLineRules("quiet modprobe.blacklist=a,kvm-amd module_blacklist=kvm-intel,b"),
      {}};
  EXPECT_NE(config.RuleFor(ModuleRule::Kind::kBlacklist, "kvm_amd"), nullptr);
  // The kernel compares with the module's own name, which has no '-'.
  EXPECT_EQ(config.RuleFor(ModuleRule::Kind::kKernelBlacklist, "kvm_intel"), nullptr);
  ASSERT_NE(config.RuleFor(ModuleRule::Kind::kKernelBlacklist, "b"), nullptr);
  EXPECT_EQ(PlaceText(*config.RuleFor(ModuleRule::Kind::kKernelBlacklist, "b")), "/proc/cmdline");
}

}  // namespace
}  // namespace plectl::host
