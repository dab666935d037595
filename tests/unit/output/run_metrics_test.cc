// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/run_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/metrics/text_format.h"
#include "host_tools/output/trial_metrics.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::output {
namespace {

using experiment::SampleManifest;
using experiment::SampleTrial;
using experiment::TrialRecord;
using ::testing::HasSubstr;
using ::testing::Not;

std::string TextOf(const RunFigures& figures) {
  metrics::MetricsBuilder builder;
  AddFamilies(figures, builder);
  return metrics::TextFormat(builder.Take());
}

// What all samples of SampleTrial("1") have.
std::string LabelsOf(const TrialRecord& trial, const std::string& more = "") {
  return "{run=\"sample\",trial=\"" + trial.id + "\",block=\"3\",arm=\"pause\",point=\"" +
         PointName(trial) + "\"" + more + "} ";
}

experiment::RunLog Log(std::vector<TrialRecord> trials) {
  experiment::RunLog log;
  log.manifests.push_back(SampleManifest());
  log.trials = std::move(trials);
  return log;
}

TEST(TrialMetrics, TellsEachFigureOfTheRecord) {
  TrialRecord trial = SampleTrial("1");
  trial.timings.params_ns = 250'000'000;
  trial.timings.run_ns = 1;
  const std::string text = TextOf(FiguresOf(Log({trial}), 10));
  const auto has = [&](const std::string& name, const std::string& more, const std::string& value) {
    EXPECT_THAT(text, HasSubstr("\nplectl_trial_" + name + LabelsOf(trial, more) + value + "\n"));
  };
  has("valid", "", "1");
  has("records", "", "1");
  has("disturbed", "", "0");
  has("pause_exits", "", "701");
  has("kvm_exits", "", "777");
  has("exits", ",reason=\"EXTERNAL_INTERRUPT\"", "75");
  has("exits", ",reason=\"PAUSE_INSTRUCTION\"", "701");
  has("window_updates", "", "20");
  has("window_changes", ",direction=\"grow\"", "15");
  has("window_changes", ",direction=\"shrink\"", "5");
  has("throughput_rounds_per_second", "", "123456.789");
  has("fairness_jain", "", "0.875");
  has("reload_seconds", "", "0.25");
  has("run_seconds", "", "1e-09");
  has("elapsed_seconds", "", "6172.839450615");
  has("wait_seconds_count", "", "20000");
  has("wait_seconds_sum", "", "6.5e-08");
  has("wait_seconds", ",quantile=\"0.5\"", "5e-09");
  has("wait_seconds", ",quantile=\"0.999\"", "1.5e-08");
  EXPECT_THAT(text, Not(HasSubstr("plectl_trial_missing")));
}

TEST(TrialMetrics, AMissingFigureHasNoSampleButIsNamed) {
  TrialRecord trial = SampleTrial("1");
  for (Count TrialRecord::*member : {&TrialRecord::pause_exits, &TrialRecord::kvm_exits_total,
                                     &TrialRecord::window_updates, &TrialRecord::window_growths}) {
    trial.*member = Count::Missing("a test");
  }
  trial.exits.clear();
  trial.exits_missing_because = "a test";
  trial.fairness_jain.reset();
  trial.waits.reset();
  trial.elapsed_tsc_cycles = 0;
  trial.throughput_per_s = 0;
  const std::string text = TextOf(FiguresOf(Log({trial}), 10));
  for (const std::string figure :
       {"pause_exits", "kvm_exits", "exits", "window_updates", "fairness_jain", "wait_seconds",
        "throughput_rounds_per_second"}) {
    EXPECT_THAT(text, HasSubstr("plectl_trial_missing" +
                                LabelsOf(trial, ",figure=\"" + figure + "\"") + "1\n"));
    EXPECT_THAT(text, Not(HasSubstr("plectl_trial_" + figure + "{")));
  }
  EXPECT_THAT(text, HasSubstr(LabelsOf(trial, ",figure=\"window_changes\"") + "1\n"));
  EXPECT_THAT(text, Not(HasSubstr("direction=\"grow\"")));
  EXPECT_THAT(text, HasSubstr("direction=\"shrink\""));
}

TEST(TrialMetrics, WithoutAClockThereAreNoSeconds) {
  TrialRecord trial = SampleTrial("1");
  trial.tsc_khz = 0;
  const std::string text = TextOf(FiguresOf(Log({trial}), 10));
  EXPECT_THAT(text, Not(HasSubstr("plectl_trial_elapsed_seconds{")));
  EXPECT_THAT(text, Not(HasSubstr("plectl_trial_wait_seconds")));
  EXPECT_THAT(text, HasSubstr(",figure=\"elapsed_seconds\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(",figure=\"wait_seconds\"} 1\n"));
}

TEST(RunMetrics, OfAnInvalidTrialOnlyThatItIs) {
  const std::string text = TextOf(FiguresOf(Log({experiment::InvalidTrial("1", "a test")}), 10));
  EXPECT_THAT(text, HasSubstr("plectl_trial_valid" + LabelsOf(SampleTrial("1")) + "0\n"));
  EXPECT_THAT(text, Not(HasSubstr("plectl_trial_pause_exits")));
  EXPECT_THAT(text, HasSubstr("plectl_run_trials{run=\"sample\",state=\"valid\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("plectl_run_trials{run=\"sample\",state=\"invalid\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("state=\"planned\"")));
}

// Two samples with the same labels would make Prometheus refuse the whole scrape.
TEST(RunMetrics, ATrialHasOneRecordTheFirstValidOne) {
  TrialRecord second = SampleTrial("1");
  second.pause_exits = 5;
  const RunFigures figures =
      FiguresOf(Log({experiment::InvalidTrial("1", "a test"),
                     experiment::InvalidTrial("1", "again"), SampleTrial("1"), second}),
                10);
  EXPECT_EQ(figures.trials.size(), 1U);
  EXPECT_EQ(figures.valid, 1U);
  EXPECT_EQ(figures.invalid, 0U);
  const std::string text = TextOf(figures);
  EXPECT_THAT(text, HasSubstr("plectl_trial_valid" + LabelsOf(second) + "1\n"));
  EXPECT_THAT(text, HasSubstr("plectl_trial_pause_exits" + LabelsOf(second) + "701\n"));
  EXPECT_THAT(text, HasSubstr("plectl_trial_records" + LabelsOf(second) + "3\n"));
}

TEST(RunMetrics, CountsTheTrialsThatHaveNoSeries) {
  const RunFigures figures =
      FiguresOf(Log({SampleTrial("1"), SampleTrial("2"), experiment::InvalidTrial("3", "a test"),
                     SampleTrial("3")}),
                1);
  EXPECT_EQ(figures.trials.size(), 1U);
  EXPECT_EQ(figures.left_out, 2U);
  EXPECT_EQ(figures.valid, 3U);
  EXPECT_THAT(TextOf(figures), HasSubstr("plectl_run_trials_left_out{run=\"sample\"} 2\n"));
}

TEST(RunMetrics, APointIsTheSameForEveryArmBlockAndSeed) {
  TrialRecord other = SampleTrial("2");
  other.arm = experiment::Arm::kNop;
  other.block = 9;
  other.lab_seed = 5;
  EXPECT_EQ(PointName(SampleTrial("1")), PointName(other));
  other.params["ple_gap"] = "0";
  EXPECT_NE(PointName(SampleTrial("1")), PointName(other));
  EXPECT_EQ(PointName(other).size(), 12U);
}

TEST(RunMetrics, APointNamesItsSettings) {
  TrialRecord trial = SampleTrial("1");
  trial.params["bad name"] = "1";
  trial.params["run"] = "2";
  trial.params["vcpus"] = "3";
  const std::string text = TextOf(FiguresOf(Log({trial, SampleTrial("2")}), 10));
  EXPECT_THAT(text, HasSubstr("plectl_point_info{run=\"sample\",point=\"" + PointName(trial) +
                              "\",payload=\"ttas\",vms=\"1\",vcpus=\"2\",cpus=\"0,5\","));
  EXPECT_THAT(text, HasSubstr(",ple_gap=\"128\",ple_window=\"4096\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("bad name")));
  EXPECT_THAT(text, Not(HasSubstr("run=\"2\"")));
}

TEST(RunMetrics, NamesTheRunAndItsHost) {
  experiment::RunLog log = Log({});
  log.manifests[0].host["kernel"] = {{"release", "6.1\n\"x\""}};
  log.manifests[0].host["module"] = 7;  // logs come from outside
  EXPECT_THAT(TextOf(FiguresOf(log, 10)),
              HasSubstr("plectl_run_info{run=\"sample\",plan_sha256=\"abc\",seed=\"7\","
                        "plectl_version=\"0.1.0\",kernel=\"6.1\\n\\\"x\\\"\",cpu=\"Test CPU\","
                        "module=\"\",lab=\"\"} 1\n"));
}

TEST(RunMetrics, TellsHowControlsCameOut) {
  experiment::RunLog log = Log({});
  log.controls.resize(4);
  log.controls[0].name = log.controls[1].name = "ple_fires";
  log.controls[0].failed_because = "a test";
  log.controls[2].name = "nop";
  log.controls[2].failed_because = "a test";
  log.controls[3].name = "below_window";
  log.controls[3].missing_because = "a test";
  const std::string text = TextOf(FiguresOf(log, 10));
  EXPECT_THAT(text, HasSubstr("plectl_control_passed{run=\"sample\",control=\"ple_fires\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("plectl_control_passed{run=\"sample\",control=\"nop\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("plectl_control_passed{run=\"sample\",control=\"below")));
  EXPECT_THAT(text, HasSubstr("control=\"ple_fires\",result=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("control=\"below_window\",result=\"not_run\"} 1\n"));
}

}  // namespace
}  // namespace plectl::output
