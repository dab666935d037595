// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/sweep.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/experiment/embedded_payloads.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPlanText = R"(name: unit
seed: 7
blocks: 2
params: {ple_window: [1024, 4096]}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], iterations: 10}
)";
constexpr size_t kTrials = size_t{2} * 2 * 2;  // blocks, windows, arms

// What the fake host shall do and what was done to it.
struct FakeHost {
  std::map<std::string, int> runs;          // by trial id
  std::map<int, std::string> invalid_at;    // number of the run (from 0) -> reason
  std::map<int, std::string> disturbed_at;  // the same
  int fail_at = -1;                         // number of the run that cannot be made
  int next_run = 0;
  int finished = 0;
  std::vector<int> controls_after;  // how many runs were before each session's controls
  std::string control_failed_because;
  nlohmann::json identity = {{"kernel", {{"release", "6.1"}}}};
  std::vector<std::string> observers = {"a", "b"};
};

class FakeExecutor : public Executor {
 public:
  explicit FakeExecutor(FakeHost& host) : host_(host) {}
  ~FakeExecutor() override = default;
  [[nodiscard]] nlohmann::json Host() const override { return host_.identity; }
  [[nodiscard]] std::vector<std::string> Observers() const override { return host_.observers; }
  Result<TrialRecord> Run(const Plan& plan, const ScheduledTrial& trial,
                          uint32_t attempt) override {
    const int run = host_.next_run++;
    if (run == host_.fail_at) return Environment("kvm_intel is busy");
    ++host_.runs[trial.id];
    TrialRecord record;
    record.id = trial.id;
    record.block = trial.block;
    record.attempt = attempt;
    record.arm = trial.arm;
    record.params = plan.param_sets[trial.param_set];
    record.workload = plan.workloads[trial.workload];
    record.pause_exits = 1;
    record.vcpus.resize(record.workload.vcpus);
    if (const auto invalid = host_.invalid_at.find(run); invalid != host_.invalid_at.end()) {
      record.invalid_because = invalid->second;
    }
    if (const auto noise = host_.disturbed_at.find(run); noise != host_.disturbed_at.end()) {
      record.disturbed_because = noise->second;
    }
    return record;
  }
  Result<std::vector<ControlRecord>> RunControls(const Plan& /*plan*/) override {
    host_.controls_after.push_back(host_.next_run);
    return std::vector<ControlRecord>{
        {"nop", "no PAUSE exit", host_.control_failed_because, "", SampleTrial("nop")}};
  }
  [[nodiscard]] int reloads() const override { return 3; }
  Status Finish() override {
    ++host_.finished;
    return OkStatus();
  }

 private:
  FakeHost& host_;
};

class NoProgress : public SweepProgress {
 public:
  void OnStart(size_t finished, size_t total) override {
    finished_at_start = finished;
    total_at_start = total;
  }
  void OnRecord(const TrialRecord&) override { ++records; }
  size_t finished_at_start = 0;
  size_t total_at_start = 0;
  int records = 0;
};

class SweepTest : public ::testing::Test {
 protected:
  Result<SweepSummary> Sweep() {
    SweepOptions options;
    options.directory = dir_.path() / "run";
    options.disturbed_repeats_max = disturbed_repeats_max_;
    options.describe_host = [this] { return host_.identity; };
    const auto make = [this]() -> Result<std::unique_ptr<Executor>> {
      return std::make_unique<FakeExecutor>(host_);
    };
    PLECTL_ASSIGN_OR_RETURN(const RemainingWork work, FindRemainingWork(plan_, options.directory));
    return RunSweep(plan_, work, options, make, progress_);
  }
  RunLog Log() const { return LoadRunLog(dir_.path() / "run").value(); }

  TempDir dir_;
  Plan plan_ = ParsePlan(kPlanText, "unit.yaml", Payloads()).value();
  FakeHost host_;
  NoProgress progress_;
  uint32_t disturbed_repeats_max_ = 2;
};

TEST_F(SweepTest, RunsEveryTrialOnceAndRestores) {
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->trials, kTrials);
  EXPECT_EQ(summary->reloads, 3);
  EXPECT_EQ(host_.finished, 1);
  EXPECT_EQ(host_.runs.size(), kTrials);
  EXPECT_EQ(Log().trials.size(), kTrials);
  EXPECT_EQ(Log().manifests.front().plan_sha256, plan_.sha256);
}

TEST_F(SweepTest, AFinishedRunOfAnotherHostIsNotCalledFinished) {
  ASSERT_TRUE(Sweep());
  host_.identity = {{"kernel", {{"release", "7.3"}}}};
  EXPECT_THAT(Sweep().map_error(&Error::Text).error(), HasSubstr("kernel/release was"));
}

TEST_F(SweepTest, ResumesAfterAnErrorWithoutRepeatingOrLosing) {
  host_.fail_at = 3;
  const Result<SweepSummary> failed = Sweep();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("busy"));
  EXPECT_EQ(host_.finished, 1) << "the host is restored after an error";
  host_.fail_at = -1;
  ASSERT_TRUE(Sweep());
  EXPECT_EQ(progress_.finished_at_start, 3U);
  for (const auto& [id, runs] : host_.runs) EXPECT_EQ(runs, 1) << id;
  EXPECT_EQ(Log().FinishedIds().size(), kTrials);
  EXPECT_EQ(Log().manifests.size(), 2U);
}

TEST_F(SweepTest, AFinishedRunStartsNothing) {
  ASSERT_TRUE(Sweep());
  const std::string before = ReadFile(dir_.path() / "run/run.jsonl").value();
  const Result<SweepSummary> again = Sweep();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->trials, 0U);
  EXPECT_EQ(ReadFile(dir_.path() / "run/run.jsonl").value(), before);
  EXPECT_EQ(host_.next_run, static_cast<int>(kTrials));
}

TEST_F(SweepTest, EachSessionRunsItsControlsAfterItsFirstTrial) {
  host_.fail_at = 3;
  ASSERT_FALSE(Sweep());
  ASSERT_TRUE(Sweep());
  EXPECT_THAT(host_.controls_after, ElementsAre(1, 5));
  EXPECT_EQ(Log().controls.size(), 2U);
}

TEST_F(SweepTest, AFailedControlEndsTheSweepAndItsTrialsDoNotCount) {
  host_.control_failed_because = "19 PAUSE exits";
  const Result<SweepSummary> failed = Sweep();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kInconclusive);
  EXPECT_THAT(failed.error().message, HasSubstr("the control nop failed: 19 PAUSE exits"));
  EXPECT_EQ(host_.next_run, 1);
  EXPECT_TRUE(Log().FinishedIds().empty());
  host_.control_failed_because.clear();
  ASSERT_TRUE(Sweep());
  EXPECT_EQ(Log().FinishedIds().size(), kTrials);
  EXPECT_EQ(Log().trials.size(), kTrials + 1);
}

TEST_F(SweepTest, RepeatsAnInvalidTrialAndKeepsBothRecords) {
  host_.invalid_at = {{2, "the observers disagree"}};
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->trials, kTrials);
  EXPECT_EQ(summary->given_up, 0U);
  const RunLog log = Log();
  ASSERT_EQ(log.trials.size(), kTrials + 1);
  EXPECT_FALSE(log.trials[2].valid());
  EXPECT_EQ(log.trials[3].id, log.trials[2].id);
  EXPECT_EQ(log.trials[3].attempt, 2U);
}

TEST_F(SweepTest, GivesUpATrialThatStaysInvalid) {
  for (int run = 0; run < 100; ++run) host_.invalid_at[run] = "broken observer";
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->trials, 0U);
  EXPECT_EQ(summary->given_up, kTrials);
  EXPECT_EQ(summary->first_given_up_because, "broken observer");
  EXPECT_EQ(Log().trials.size(), kTrials * 3);
}

TEST_F(SweepTest, RepeatsADisturbedTrialUntilItIsQuiet) {
  host_.disturbed_at = {{2, "allocations stalled; 9"}, {3, "kswapd reclaimed memory; 5"}};
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->trials, kTrials);
  EXPECT_EQ(summary->disturbed, 0U);
  EXPECT_EQ(summary->disturbed_repeats, 2U);
  EXPECT_EQ(summary->given_up, 0U);
  const RunLog log = Log();
  ASSERT_EQ(log.trials.size(), kTrials + 2);
  EXPECT_EQ(log.trials[2].invalid_because, "disturbed: allocations stalled; 9");
  EXPECT_EQ(log.trials[2].disturbed_because, "allocations stalled; 9");
  EXPECT_TRUE(log.trials[3].repeated_as_disturbed());
  EXPECT_TRUE(log.trials[4].valid());
  EXPECT_EQ(log.trials[4].disturbed_because, "");
  EXPECT_EQ(log.trials[4].attempt, 3U);
  for (const size_t i : {size_t{3}, size_t{4}}) EXPECT_EQ(log.trials[i].id, log.trials[2].id);
}

TEST_F(SweepTest, KeepsATrialThatStaysDisturbedAfterItsRepeats) {
  for (int run = 0; run < 100; ++run) host_.disturbed_at[run] = "a busy host";
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->trials, kTrials);
  EXPECT_EQ(summary->disturbed, kTrials);
  EXPECT_EQ(summary->disturbed_repeats, 2 * kTrials);
  const RunLog log = Log();
  ASSERT_EQ(log.trials.size(), 3 * kTrials);
  for (size_t i = 0; i < log.trials.size(); ++i) {
    EXPECT_EQ(log.trials[i].valid(), i % 3 == 2) << i;
    EXPECT_EQ(log.trials[i].disturbed_because, "a busy host");
  }
  const int runs = host_.next_run;
  ASSERT_TRUE(Sweep());
  EXPECT_EQ(host_.next_run, runs) << "what is kept is finished, disturbed or not";
}

TEST_F(SweepTest, NeverRepeatsADisturbedTrialWhenToldSo) {
  disturbed_repeats_max_ = 0;
  host_.disturbed_at = {{0, "a busy host"}};
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->disturbed, 1U);
  EXPECT_EQ(Log().trials.size(), kTrials);
  EXPECT_TRUE(Log().trials[0].valid());
}

TEST_F(SweepTest, DisturbedAndInvalidTriesHaveBoundsOfTheirOwn) {
  host_.disturbed_at = {{0, "a"}, {2, "a"}, {4, "kept"}};
  host_.invalid_at = {{1, "observers disagree"}, {3, "observers disagree"}};
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->trials, kTrials);
  const RunLog log = Log();
  ASSERT_EQ(log.trials.size(), kTrials + 4);
  EXPECT_TRUE(log.trials[4].valid());
  EXPECT_EQ(log.trials[4].disturbed_because, "kept");
  EXPECT_EQ(log.trials[4].attempt, 5U);
}

TEST_F(SweepTest, AnInvalidTrialStaysInvalidForItsOwnReason) {
  for (int run = 0; run < 100; ++run) host_.invalid_at[run] = host_.disturbed_at[run] = "broken";
  const Result<SweepSummary> summary = Sweep();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->given_up, kTrials);
  EXPECT_EQ(summary->disturbed_repeats, 0U);
  EXPECT_EQ(Log().trials.size(), 3 * kTrials);
}

TEST_F(SweepTest, ASessionThatEndedAmidRepeatsGoesOnWithTheTrial) {
  host_.disturbed_at = {{0, "a busy host"}};
  host_.fail_at = 1;
  ASSERT_FALSE(Sweep());
  host_.fail_at = -1;
  ASSERT_TRUE(Sweep());
  EXPECT_EQ(progress_.finished_at_start, 0U);
  EXPECT_EQ(Log().FinishedIds().size(), kTrials);
  EXPECT_EQ(Log().trials.size(), kTrials + 1);
}

TEST_F(SweepTest, RefusesADirectoryOfAnotherPlan) {
  ASSERT_TRUE(Sweep());
  plan_ = ParsePlan(std::string(kPlanText) + "# changed\n", "unit.yaml", Payloads()).value();
  const Result<SweepSummary> other = Sweep();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(other.error().message, HasSubstr("run of another plan"));
}

TEST_F(SweepTest, RefusesADirectoryOfAnotherGuest) {
  ASSERT_TRUE(Sweep());
  plan_.payload_sha256 = std::string(64, 'f');
  const Result<SweepSummary> other = Sweep();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(other.error().message, HasSubstr("run of another guest"));
}

TEST_F(SweepTest, RefusesToGoOnOnAnotherHost) {
  host_.fail_at = 3;
  ASSERT_FALSE(Sweep());
  host_.fail_at = -1;
  host_.identity["kernel"]["release"] = "6.12";
  const Result<SweepSummary> other = Sweep();
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("6.12"));
}

// What the sweep inside each lab does.
class ReplicatesTest : public SweepTest {
 protected:
  ReplicatesTest() {
    whole_ =
        ParsePlan(std::string(kPlanText) + "lab_seeds: [3, 5]\n", "unit.yaml", Payloads()).value();
  }
  Result<SweepSummary> SweepSeed(uint64_t seed, const std::string& lab) {
    plan_ = whole_;
    EXPECT_TRUE(KeepOnlyLabSeed(seed, plan_));
    host_.identity["lab"] = lab;
    return Sweep();
  }
  Plan whole_;
};

TEST_F(ReplicatesTest, EachSeedRunsItsOwnTrialsOnly) {
  ASSERT_TRUE(SweepSeed(5, "bochs,ips=1,time0=5"));
  EXPECT_EQ(progress_.total_at_start, kTrials);
  for (const TrialRecord& trial : Log().trials) EXPECT_EQ(trial.lab_seed, 5U);
  ASSERT_TRUE(SweepSeed(3, "bochs,ips=1,time0=3"));
  EXPECT_EQ(progress_.finished_at_start, 0U);
  EXPECT_EQ(host_.runs.size(), 2 * kTrials);
  EXPECT_EQ(Log().manifests.size(), 2U);
  const RemainingWork work = FindRemainingWork(whole_, dir_.path() / "run").value();
  EXPECT_EQ(work.finished, 2 * kTrials);
  EXPECT_TRUE(work.trials.empty());
}

TEST_F(ReplicatesTest, AnotherLabIsRefusedAllTheSame) {
  ASSERT_TRUE(SweepSeed(5, "bochs,ips=1,time0=5"));
  const Result<SweepSummary> other = SweepSeed(3, "bochs,ips=2,time0=3");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(other.error().message, HasSubstr("ips=2"));
}

TEST_F(ReplicatesTest, ARealHostHasNoSeeds) {
  plan_ = whole_;
  const Result<SweepSummary> swept = Sweep();
  ASSERT_FALSE(swept);
  EXPECT_EQ(swept.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(host_.next_run, 0);
}

TEST_F(SweepTest, RefusesToGoOnWithOtherObservers) {
  host_.fail_at = 3;
  ASSERT_FALSE(Sweep());
  host_.fail_at = -1;
  host_.observers = {"none"};
  const Result<SweepSummary> other = Sweep();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(other.error().message, HasSubstr("observers a and b, this session has none"));
  EXPECT_EQ(Log().manifests.size(), 1U) << "nothing was appended";
}

TEST_F(SweepTest, GoesOnAfterATornLastLine) {
  host_.fail_at = 4;
  ASSERT_FALSE(Sweep());
  host_.fail_at = -1;
  {
    const Result<Fd> log = OpenFile(dir_.path() / "run/run.jsonl", O_WRONLY | O_APPEND);
    ASSERT_TRUE(log);
    ASSERT_TRUE(WriteAll(log->get(), R"({"kind":"trial","id":"to)"));
  }
  ASSERT_TRUE(Sweep());
  EXPECT_EQ(Log().FinishedIds().size(), kTrials);
  EXPECT_TRUE(Log().notes.empty()) << "the torn line was cut off before appending";
}

TEST_F(SweepTest, GoesOnWithALogThatWasKilledBeforeItsFirstLine) {
  ASSERT_TRUE(MakeDirectories(dir_.path() / "run"));
  for (const char* torn : {"", R"({"kind":"mani)"}) {
    ASSERT_TRUE(WriteFileAtomically(dir_.path() / "run/run.jsonl", torn));
    host_ = FakeHost();
    const Result<SweepSummary> summary = Sweep();
    ASSERT_TRUE(summary) << summary.error().Text();
    EXPECT_EQ(summary->trials, kTrials);
  }
}

}  // namespace
}  // namespace plectl::experiment
