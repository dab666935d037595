// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host_tools/base/file.h"
#include "host_tools/output/export_format.h"
#include "host_tools/output/gbench_point.h"

namespace plectl::output {
namespace {

using experiment::Arm;
using experiment::RunLog;
using experiment::TrialRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// 2 x 500 acquisitions in `elapsed_ms` of a TSC of 1 GHz. Nothing is set but what a test is about:
// fields that a later plectl adds to its records do not change what is expected here.
TrialRecord Trial(Arm arm, uint32_t block, uint64_t elapsed_ms, Count pause_exits) {
  TrialRecord trial;
  trial.arm = arm;
  trial.block = block;
  trial.params = {{"ple_gap", "128"}, {"ple_window", "4096"}};
  trial.workload.payload = "ttas";
  trial.workload.cpus = {0, 5};
  trial.workload.hold_tsc_cycles = 2000;
  trial.workload.iterations = 500;
  trial.pause_exits = std::move(pause_exits);
  trial.exits_total = 800;
  trial.kvm_exits_total = 800;
  trial.tsc_khz = 1'000'000;
  trial.elapsed_tsc_cycles = elapsed_ms * 1'000'000;
  trial.throughput_per_s = 1e6 / static_cast<double>(elapsed_ms);
  trial.vcpus.resize(2);
  for (guests::VcpuResult& vcpu : trial.vcpus) {
    vcpu.acquisitions = 500;
    vcpu.user_ns = 3'000'000;
    vcpu.system_ns = 1'000'000;
  }
  return trial;
}

RunLog Log(std::vector<TrialRecord> trials) {
  RunLog log;
  experiment::Manifest manifest;
  manifest.plectl_version = "0.1.0";
  manifest.plan = {{"name", "sample"}};
  manifest.plan_sha256 = "abc";
  manifest.seed = 7;
  manifest.observers = {"bpf-exit", "bpf-on-spin"};
  manifest.host = {{"cpu", {{"model_name", "Test CPU"}}},
                   {"cpus_online", "0-3,5"},
                   {"tsc_khz", 2'999'600},
                   {"governor", "performance"},
                   {"kernel", {{"release", "6.1.0"}}},
                   {"lab", nullptr}};
  log.manifests = {manifest};
  log.trials = std::move(trials);
  return log;
}

nlohmann::json Exported(const RunLog& log) {
  return nlohmann::json::parse(MakeGbenchFormat()->Render(log));
}

std::vector<std::string> NamesIn(const nlohmann::json& exported) {
  std::vector<std::string> names;
  for (const auto& entry : exported["benchmarks"]) names.push_back(entry["name"]);
  return names;
}

TEST(GbenchFormat, WritesWhatItAlwaysWrote) {
  RunLog log = Log({Trial(Arm::kNop, 0, 8, 0), Trial(Arm::kPause, 0, 10, 700),
                    Trial(Arm::kPause, 1, 14, 500), Trial(Arm::kNop, 1, 1, 0)});
  log.trials[1].lab_seed = 4;
  log.trials[3].invalid_because = "an observer lost events";
  const auto expected = ReadFile(PLECTL_FIXTURES "/gbench_export.json");
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(MakeGbenchFormat()->Render(log), *expected);
}

TEST(GbenchFormat, LeavesOutWhatIsMissing) {
  RunLog log = Log(
      {Trial(Arm::kPause, 0, 10, Count::Missing("not attached")), Trial(Arm::kPause, 1, 10, 7)});
  log.manifests[0].host = {{"tsc_khz", "fast"}, {"cpus_online", "3-1"}, {"governor", 1}};
  const nlohmann::json exported = Exported(log);
  EXPECT_FALSE(exported["benchmarks"][0].contains("pause_exits"));
  EXPECT_EQ(exported["benchmarks"][1]["pause_exits"], 7);
  EXPECT_EQ(exported["benchmarks"][2]["aggregate_name"], "mean");
  EXPECT_FALSE(exported["benchmarks"][2].contains("pause_exits")) << "a mean of some";
  for (const char* key : {"host_name", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled", "date"}) {
    EXPECT_FALSE(exported["context"].contains(key)) << key;
  }
}

TEST(GbenchFormat, WhatNeverDiffersVariesByNothing) {
  const nlohmann::json exported =
      Exported(Log({Trial(Arm::kNop, 0, 10, 0), Trial(Arm::kNop, 1, 10, 0)}));
  const nlohmann::json& cv = exported["benchmarks"][5];
  EXPECT_EQ(cv["aggregate_unit"], "percentage");
  EXPECT_EQ(cv["real_time"], 0.0);
  EXPECT_EQ(cv["pause_exits"], 0.0) << "though the mean is 0";
}

TEST(GbenchFormat, CountsTrialsThatDidNoWork) {
  RunLog log = Log({Trial(Arm::kPause, 0, 10, 1), Trial(Arm::kPause, 1, 10, 1)});
  log.trials[0].throughput_per_s = 0;
  log.trials[1].arm = Arm::kNop;
  const nlohmann::json exported = Exported(log);
  EXPECT_THAT(exported["benchmarks"], SizeIs(1));
  EXPECT_EQ(exported["context"]["trials_without_work"], 1);
  EXPECT_EQ(exported["context"]["trials_exported"], 1);
}

TEST(GbenchFormat, NamesTheLabOfAnySession) {
  RunLog log = Log({Trial(Arm::kPause, 0, 10, 1)});
  log.manifests.push_back(log.manifests[0]);
  log.manifests[1].host["lab"] = "bochs";
  EXPECT_THAT(Exported(log)["context"]["lab"].get<std::string>(), HasSubstr("not silicon"));
}

TEST(GbenchFormat, SortsPointsAsAReportDoes) {
  std::vector<TrialRecord> trials = {Trial(Arm::kPause, 0, 1, 1), Trial(Arm::kPause, 0, 1, 1)};
  trials[0].params = {{"ple_window", "10000"}};
  trials[1].params = {{"ple_window", "9999"}};
  EXPECT_THAT(NamesIn(Exported(Log(trials))), ElementsAre(HasSubstr(":9999/"), HasSubstr("10000")));
}

TEST(GbenchFormat, OfNothingHasNoBenchmarks) {
  EXPECT_TRUE(Exported(RunLog())["benchmarks"].empty());
}

TEST(GbenchName, NamesSettingsThatFewUseOnlyWhenUsed) {
  using analysis::SettingKind;
  std::vector<analysis::Setting> settings = {{SettingKind::kWorkload, "payload", "ticket"},
                                             {SettingKind::kWorkload, "vcpus", "2"},
                                             {SettingKind::kWorkload, "body_loops", "0"},
                                             {SettingKind::kParam, "ple_gap", "0"}};
  EXPECT_EQ(GbenchName(settings, "nop"), "ticket/vcpus:2/ple_gap:0/nop");
  settings[2].value = "3";
  EXPECT_EQ(GbenchName(settings, "nop"), "ticket/vcpus:2/body_loops:3/ple_gap:0/nop");
}

TEST(ExportFormat, AnUnknownNameGetsASuggestion) {
  const auto format = MakeExportFormat("gbensch");
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(format.error().message, HasSubstr("did you mean \"gbench\"?"));
  for (const std::string_view name : ExportFormatNames()) EXPECT_TRUE(MakeExportFormat(name));
}

}  // namespace
}  // namespace plectl::output
