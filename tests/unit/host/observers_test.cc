// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/observers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "host_tools/host/absent_counter.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Names = std::vector<std::string>;
const Names kBpfNames = {"bpf-exit"};
const Names kBpfPair = {"bpf-exit", "bpf-on-spin-kprobe"};
const Names kPerfNames = {"perf-exit"};
const Names kPauseNames = {"bpf-on-spin"};
const Names kNoNames = {"none"};

bool Fits(ObserverChoice choice, const Names& recorded) {
  ObserverOptions options;
  options.choice = choice;
  const Status status = CheckObserverOptions(options, recorded);
  EXPECT_TRUE(status || status.error().kind == ErrorKind::kBadInput);
  return status.has_value();
}

TEST(OpenObservers, RefusesWhereFunctionProbesDoNotRunAndNamesTheSysctl) {
  const FakeHost host("intel_ple");
  host.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
  for (const ObserverChoice choice : {ObserverChoice::kAuto, ObserverChoice::kBpf,
                                      ObserverChoice::kPerf, ObserverChoice::kPauseOnly}) {
    ObserverOptions options;
    options.choice = choice;
    const auto pair = OpenObservers(host.root(), KvmModule::kIntel, options);
    ASSERT_FALSE(pair);
    EXPECT_EQ(pair.error().kind, ErrorKind::kEnvironment);
    EXPECT_THAT(pair.error().message, HasSubstr("kernel.ftrace_enabled is 0"));
    EXPECT_THAT(pair.error().hint, HasSubstr("sysctl kernel.ftrace_enabled=1"));
  }
  ObserverOptions none;
  none.choice = ObserverChoice::kNone;
  EXPECT_TRUE(OpenObservers(host.root(), KvmModule::kIntel, none));
}

TEST(OpenObservers, NamesTheLockdownAndNothingElse) {
  const FakeHost host("intel_ple");
  host.Write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
  const auto pair = OpenObservers(host.root(), KvmModule::kIntel, {});
  ASSERT_FALSE(pair);
  EXPECT_THAT(pair.error().message, HasSubstr("lockdown=confidentiality"));
  EXPECT_LT(pair.error().Text().size(), 300U);
  EXPECT_THAT(pair.error().hint, HasSubstr("lockdown=integrity"));
}

TEST(CheckObserverOptions, EveryChoiceFitsANewRun) {
  for (const ObserverChoice choice :
       {ObserverChoice::kAuto, ObserverChoice::kBpf, ObserverChoice::kPerf,
        ObserverChoice::kPauseOnly, ObserverChoice::kNone}) {
    EXPECT_TRUE(Fits(choice, {}));
  }
}

TEST(CheckObserverOptions, ARunIsResumedOnlyWithItsOwnObservers) {
  EXPECT_TRUE(Fits(ObserverChoice::kBpf, kBpfNames));
  EXPECT_TRUE(Fits(ObserverChoice::kPerf, kPerfNames));
  EXPECT_TRUE(Fits(ObserverChoice::kNone, kNoNames));
  EXPECT_FALSE(Fits(ObserverChoice::kBpf, kPerfNames));
  EXPECT_FALSE(Fits(ObserverChoice::kPerf, kBpfNames));
  EXPECT_FALSE(Fits(ObserverChoice::kNone, kBpfNames));
  EXPECT_FALSE(Fits(ObserverChoice::kBpf, kNoNames));
}

TEST(CheckObserverOptions, PauseOnlyIsNoCheckAndTheOtherWayRound) {
  EXPECT_TRUE(Fits(ObserverChoice::kPauseOnly, kPauseNames));
  EXPECT_TRUE(Fits(ObserverChoice::kPauseOnly, {"perf-on-spin"}));
  EXPECT_FALSE(Fits(ObserverChoice::kPauseOnly, kBpfNames));
  EXPECT_FALSE(Fits(ObserverChoice::kBpf, kPauseNames));
  EXPECT_FALSE(Fits(ObserverChoice::kAuto, kPauseNames));
}

TEST(CheckObserverOptions, WhichTrialsAreCheckedMustFit) {
  ObserverOptions options;
  EXPECT_FALSE(CheckObserverOptions(options, kBpfPair));
  options.check = CheckTrials::kEvery;
  EXPECT_TRUE(CheckObserverOptions(options, kBpfPair));
  const Status status = CheckObserverOptions(options, kBpfNames);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("--check-observer every-trial"));
}

TEST(CheckObserverOptions, DetailsMustFitAndNeedBpf) {
  const Names recorded = {"bpf-exit", "exit_times", "hardware"};
  ObserverOptions options;
  EXPECT_FALSE(CheckObserverOptions(options, recorded));
  options.details.exit_times = true;
  EXPECT_FALSE(CheckObserverOptions(options, recorded));
  options.details.hardware = true;
  EXPECT_TRUE(CheckObserverOptions(options, recorded));
  options.check = CheckTrials::kEvery;
  EXPECT_TRUE(
      CheckObserverOptions(options, Names{"bpf-exit", "bpf-on-spin", "exit_times", "hardware"}));
  options.choice = ObserverChoice::kPerf;
  const Status status = CheckObserverOptions(options, {});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("--observe"));
}

TEST(CheckObserverOptions, AutoCanBeEitherPairButNotNone) {
  EXPECT_TRUE(Fits(ObserverChoice::kAuto, kBpfNames));
  EXPECT_TRUE(Fits(ObserverChoice::kAuto, kPerfNames));
  EXPECT_FALSE(Fits(ObserverChoice::kAuto, kNoNames));
}

TEST(CheckObserverOptions, TheRefusalNamesBoth) {
  ObserverOptions options;
  options.choice = ObserverChoice::kNone;
  const Status status = CheckObserverOptions(options, kBpfPair);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("bpf-exit and bpf-on-spin-kprobe"), HasSubstr("--observer none")));
}

TEST(CheckObserverOptions, OnlyACheckOfEveryTrialCanBeBroken) {
  ObserverOptions options;
  options.check_drops_every_nth = 3;
  for (const ObserverChoice choice : {ObserverChoice::kNone, ObserverChoice::kAuto}) {
    options.choice = choice;
    const Status status = CheckObserverOptions(options, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(status.error().message, HasSubstr("--break-observer"));
  }
  options.check = CheckTrials::kEvery;
  EXPECT_TRUE(CheckObserverOptions(options, {}));
  options.choice = ObserverChoice::kPauseOnly;
  EXPECT_FALSE(CheckObserverOptions(options, {}));
}

TEST(ObserverPair, NamesAllThatCostsAMeasuredTrial) {
  ObserverPair pair;
  pair.primary = MakeAbsentCounter();
  EXPECT_EQ(pair.Names(), Names{"none"});
  pair.check = MakeAbsentCounter();
  EXPECT_EQ(pair.Names(), Names{"none"});
  pair.check_trials = CheckTrials::kEvery;
  pair.details.pause_rips = true;
  EXPECT_EQ(pair.Names(), (Names{"none", "none", "pause_rips"}));
}

TEST(AbsentCounter, EveryCountIsMissingAndSaysWhy) {
  const auto counter = MakeAbsentCounter();
  EXPECT_EQ(counter->name(), "none");
  EXPECT_TRUE(counter->Arm(1, {}));
  const auto counts = counter->Read();
  ASSERT_TRUE(counts);
  EXPECT_FALSE(counts->attached);
  EXPECT_THAT(counts->by_reason_missing_because, HasSubstr("no observer was attached"));
  for (const Count& count : {counts->total, counts->pause_exits, counts->window_updates,
                             counts->window_growths, counts->window_shrinks}) {
    EXPECT_FALSE(count.has_value());
    EXPECT_THAT(count.missing_because(), HasSubstr("no observer was attached"));
  }
  EXPECT_TRUE(counts->lost_because.empty());
}

}  // namespace
}  // namespace plectl::host
