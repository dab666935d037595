// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/persisted_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host_tools/host/host_lock.h"
#include "host_tools/host/modprobe_config.h"
#include "host_tools/host/module_params.h"
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
  [[nodiscard]] Result<StagedPersistence> Stage(const ParamValues& values) const {
    return StagedPersistence::Stage(host_.root(), KvmModule::kIntel, values,
                                    ReadParams(host_.root(), KvmModule::kIntel).value());
  }
  [[nodiscard]] bool Persist(const ParamValues& values) const {
    Result<StagedPersistence> staged = Stage(values);
    return staged && staged->Commit();
  }
  void SetUp() override { std::filesystem::create_directories(host_.root().Path(kStateFolder)); }
  FakeHost host_{"intel_ple"};
};

TEST_F(PersistedParams, AreWhatModprobeWouldGive) {
  ASSERT_TRUE(CheckPersistable(host_.root(), KvmModule::kIntel, {{"ple_window", "8192"}}));
  ASSERT_TRUE(Persist({{"ple_window", "8192"}}));
  ASSERT_TRUE(Persist({{"ple_gap", "0"}, {"ple_window", "1024"}}));
  const std::string text = host_.Read(kPersistedPath);
  EXPECT_THAT(text, StartsWith("# Written by plectl"));
  EXPECT_THAT(text, HasSubstr("\noptions kvm_intel ple_gap=0 ple_window=1024\n"));
  ParamValues found;
  for (const ModuleOption& option : ReadModprobeConfig(host_.root()).options) {
    if (option.file == kPersistedPath) found[option.name] = option.value.value();
  }
  EXPECT_EQ(found, (ParamValues{{"ple_gap", "0"}, {"ple_window", "1024"}}));
}

TEST_F(PersistedParams, TheRecordKeepsTheFirstOriginals) {
  ASSERT_TRUE(Persist({{"ple_window", "8192"}}));
  host_.Write("/sys/module/kvm_intel/parameters/ple_window", "8192\n");  // booted since
  ASSERT_TRUE(Persist({{"ple_gap", "0"}, {"ple_window", "1024"}}));
  const PersistedRecord record = LoadPersistedRecord(host_.root()).value().value();
  EXPECT_EQ(record.originals, (ParamValues{{"ple_gap", "128"}, {"ple_window", "4096"}}));
  EXPECT_EQ(record.values, (ParamValues{{"ple_gap", "0"}, {"ple_window", "1024"}}));
}

TEST_F(PersistedParams, WhatIsOnlyStagedLeavesNothing) {
  { ASSERT_TRUE(Stage({{"ple_window", "8192"}})); }
  EXPECT_FALSE(host_.root().Exists(kPersistedPath));
  EXPECT_FALSE(host_.root().Exists(kPersistedRecordPath));
  EXPECT_TRUE(host_.root().List("/var/lib/plectl")->empty());
}

TEST_F(PersistedParams, AFolderThatCannotBeWrittenToIsRefusedWhenStaged) {
  host_.Remove("/etc/modprobe.d");
  host_.Write("/etc/modprobe.d", "a file in the way");
  const auto staged = Stage({{"ple_window", "8192"}});
  ASSERT_FALSE(staged);
  EXPECT_THAT(staged.error().message, HasSubstr("/etc/modprobe.d"));
}

TEST_F(PersistedParams, ADamagedRecordIsNotGuessedAt) {
  ASSERT_TRUE(Persist({{"ple_window", "8192"}}));
  for (const char* text : {"", "[]", "{}", "{\"schema\":1,\"module\":\"kvm_intel\"}",
                           "{\"schema\":1,\"module\":\"kvm_intel\",\"originals\":{\"a\":\"1\"},"
                           "\"values\":{}}"}) {
    host_.Write(kPersistedRecordPath, text);
    const auto record = LoadPersistedRecord(host_.root());
    ASSERT_FALSE(record) << text;
    EXPECT_THAT(record.error().message, HasSubstr("damaged"));
  }
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

TEST_F(PersistedParams, AreNothingToAnInstallLine) {
  host_.Write("/etc/modprobe.d/x.conf",
              "install kvm_intel modprobe --ignore-install kvm_intel nested=0\n");
  EXPECT_THAT(Refusal({{"ple_window", "8192"}}),
              AllOf(HasSubstr("/etc/modprobe.d/x.conf:1 has \"install kvm_intel modprobe"),
                    HasSubstr("leave --persist out")));
}

TEST_F(PersistedParams, KeepOffAFileOfTheSameNameThatIsNotOurs) {
  const std::string theirs = "options kvm_amd npt=1\n";
  host_.Write(kPersistedPath, theirs);
  EXPECT_THAT(Refusal({{"ple_window", "8192"}}), HasSubstr("plectl did not write it"));
  EXPECT_FALSE(Stage({{"ple_window", "8192"}}));
  EXPECT_FALSE(RemovePersistedParams(host_.root()));
  EXPECT_EQ(host_.Read(kPersistedPath), theirs);
}

TEST_F(PersistedParams, AreRemovedOnce) {
  ASSERT_TRUE(Persist({{"ple_window", "8192"}}));
  EXPECT_EQ(RemovePersistedParams(host_.root()).value(), (ParamValues{{"ple_window", "8192"}}));
  EXPECT_FALSE(host_.root().Exists(kPersistedPath));
  EXPECT_FALSE(RemovePersistedParams(host_.root()).value());
}

}  // namespace
}  // namespace plectl::host
