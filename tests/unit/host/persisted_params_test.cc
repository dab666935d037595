// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/persisted_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host_tools/host/modprobe_config.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PersistedParams : public ::testing::Test {
 protected:
  [[nodiscard]] std::string Refusal(const ParamValues& values) const {
    const Status status = CheckPersistable(host_.root(), KvmModule::kIntel, values);
    return status ? "not refused" : status.error().Text();
  }
  FakeHost host_{"intel_ple"};
};

TEST_F(PersistedParams, AreWhatModprobeWouldGive) {
  ASSERT_TRUE(CheckPersistable(host_.root(), KvmModule::kIntel, {{"ple_window", "8192"}}));
  ASSERT_TRUE(PersistParams(host_.root(), KvmModule::kIntel, {{"ple_window", "8192"}}));
  ASSERT_TRUE(
      PersistParams(host_.root(), KvmModule::kIntel, {{"ple_gap", "0"}, {"ple_window", "1024"}}));
  const std::string text = host_.Read(kPersistedPath);
  EXPECT_THAT(text, StartsWith("# Written by plectl"));
  EXPECT_THAT(text, HasSubstr("\noptions kvm_intel ple_gap=0 ple_window=1024\n"));
  ParamValues found;
  for (const ModuleOption& option : ReadModprobeConfig(host_.root()).options) {
    if (option.file == kPersistedPath) found[option.name] = option.value.value();
  }
  EXPECT_EQ(found, (ParamValues{{"ple_gap", "0"}, {"ple_window", "1024"}}));
}

TEST_F(PersistedParams, DoNotFightAnotherFile) {
  host_.Write("/etc/modprobe.d/tuned.conf", "# rt\noptions kvm-intel ple_gap=0\n");
  EXPECT_THAT(Refusal({{"ple_gap", "128"}}),
              AllOf(HasSubstr("/etc/modprobe.d/tuned.conf:2 sets ple_gap"), HasSubstr("fight")));
  EXPECT_EQ(Refusal({{"ple_window", "8192"}}), "not refused");
}

TEST_F(PersistedParams, DoNotFightTheKernelCommandLine) {
  host_.Write("/proc/cmdline", "quiet kvm_intel.ple_window=1024\n");
  EXPECT_THAT(Refusal({{"ple_window", "8192"}}), HasSubstr("/proc/cmdline sets ple_window"));
}

TEST_F(PersistedParams, KeepOffAFileOfTheSameNameThatIsNotOurs) {
  const std::string theirs = "options kvm_amd npt=1\n";
  host_.Write(kPersistedPath, theirs);
  EXPECT_THAT(Refusal({{"ple_window", "8192"}}), HasSubstr("plectl did not write it"));
  EXPECT_FALSE(PersistParams(host_.root(), KvmModule::kIntel, {{"ple_window", "8192"}}));
  EXPECT_FALSE(RemovePersistedParams(host_.root()));
  EXPECT_EQ(host_.Read(kPersistedPath), theirs);
}

TEST_F(PersistedParams, AreRemovedOnce) {
  ASSERT_TRUE(PersistParams(host_.root(), KvmModule::kIntel, {{"ple_window", "8192"}}));
  EXPECT_TRUE(RemovePersistedParams(host_.root()).value());
  EXPECT_FALSE(host_.root().Exists(kPersistedPath));
  EXPECT_FALSE(RemovePersistedParams(host_.root()).value());
}

}  // namespace
}  // namespace plectl::host
