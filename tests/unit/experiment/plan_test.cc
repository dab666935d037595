// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/experiment/embedded_payloads.h"

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan Parse(std::string_view text) {
  Result<Plan> plan = ParsePlan(text, "p.yaml", Payloads());
  if (plan) return *plan;
  ADD_FAILURE() << plan.error().Text();
  return {};
}

// A plan with these lines under `params`.
std::string WithParams(std::string_view params) {
  return "name: x\nparams: " + std::string(params) + "\nworkloads: [{payload: ttas, cpus: 0}]\n";
}

std::vector<std::string> WindowsOf(std::string_view axis) {
  std::vector<std::string> windows;
  for (const auto& set : Parse(WithParams("{ple_window: " + std::string(axis) + "}")).param_sets) {
    windows.push_back(set.at("ple_window"));
  }
  return windows;
}

TEST(Plan, TheSmallestPlanHasTheDocumentedDefaults) {
  const std::string text = "name: x\nworkloads: [{payload: ttas, cpus: 0}]\n";
  const Plan plan = Parse(text);
  EXPECT_EQ(plan.name, "x");
  EXPECT_EQ(plan.seed, 1U);
  EXPECT_EQ(plan.blocks, 1U);
  EXPECT_TRUE(plan.lab_seeds.empty());
  EXPECT_EQ(plan.deadline_ms, 10'000U);
  EXPECT_THAT(plan.arms, ElementsAre(Arm::kPause, Arm::kNop));
  EXPECT_THAT(plan.param_sets, ElementsAre(host::ParamValues()));
  ASSERT_EQ(plan.workloads.size(), 1U);
  const guests::Workload& workload = plan.workloads[0];
  EXPECT_EQ(workload.payload, "ttas");
  EXPECT_EQ(workload.vcpus, 2U);
  EXPECT_THAT(workload.cpus, ElementsAre(0));
  EXPECT_EQ(workload.hold_tsc_cycles, 0U);
  EXPECT_EQ(workload.think_tsc_cycles, 0U);
  EXPECT_EQ(workload.iterations, 0U);
  EXPECT_EQ(workload.body_loops, 0U);
  EXPECT_EQ(workload.scheduling, guests::VcpuScheduling::kOther);
  EXPECT_EQ(workload.interrupts_off, guests::InterruptsOff::kNever);
  EXPECT_EQ(workload.duration_tsc_cycles, 400'000'000U) << "several time slices";
  EXPECT_EQ(workload.hold_distribution, guests::Distribution::kFixed);
  EXPECT_EQ(workload.think_distribution, guests::Distribution::kFixed);
  EXPECT_EQ(workload.random_seed, 1U);
  EXPECT_EQ(workload.relax_repeat, 1U);
  EXPECT_EQ(plan.text, text);
  EXPECT_EQ(plan.sha256, Sha256Hex(text));
}

TEST(Plan, ReadsEveryKey) {
  const Plan plan = Parse(R"(
name: full-1.0_x
seed: 18446744073709551615
blocks: 3
deadline_ms: 2500
arms: [nop, pause_exits_disabled]
params: {pause_filter_count: 3000, pause_filter_thresh: 128}
workloads:
  - payload: mcs
    vms: 2
    vcpus: 2
    cpus: [1, 3, 4, 5]
    hold_tsc_cycles: 5
    think_tsc_cycles: 6
    iterations: 7
    body_loops: 8
    scheduling: fifo
    interrupts_off: locking
    hold_distribution: exponential
    think_distribution: exponential
    random_seed: 18446744073709551615
)");
  EXPECT_EQ(plan.name, "full-1.0_x");
  EXPECT_EQ(plan.seed, UINT64_MAX);
  EXPECT_EQ(plan.blocks, 3U);
  EXPECT_EQ(plan.deadline_ms, 2500U);
  EXPECT_THAT(plan.arms, ElementsAre(Arm::kNop, Arm::kPauseExitsDisabled));
  EXPECT_EQ(plan.param_sets[0].at("pause_filter_count"), "3000");
  const guests::Workload& workload = plan.workloads.at(0);
  EXPECT_EQ(workload.vms, 2U);
  EXPECT_EQ(workload.vcpus, 2U);
  EXPECT_THAT(workload.cpus, ElementsAre(1, 3, 4, 5));
  EXPECT_EQ(workload.hold_tsc_cycles, 5U);
  EXPECT_EQ(workload.think_tsc_cycles, 6U);
  EXPECT_EQ(workload.iterations, 7U);
  EXPECT_EQ(workload.body_loops, 8U);
  EXPECT_EQ(workload.scheduling, guests::VcpuScheduling::kFifo);
  EXPECT_EQ(workload.interrupts_off, guests::InterruptsOff::kLocking);
  EXPECT_EQ(workload.hold_distribution, guests::Distribution::kExponential);
  EXPECT_EQ(workload.think_distribution, guests::Distribution::kExponential);
  EXPECT_EQ(workload.random_seed, UINT64_MAX);
}

TEST(Plan, ADurationTakesThePlaceOfIterations) {
  const Plan plan = Parse(
      "name: x\nworkloads:\n"
      "- {payload: ttas, cpus: 0, duration_tsc_cycles: [5, 6], relax_repeat: 64}\n");
  ASSERT_EQ(plan.workloads.size(), 2U);
  EXPECT_EQ(plan.workloads[1].duration_tsc_cycles, 6U);
  EXPECT_EQ(plan.workloads[1].iterations, 0U);
  EXPECT_EQ(plan.workloads[1].relax_repeat, 64U);
}

TEST(Plan, ValuesAreScalarsListsOrRanges) {
  EXPECT_THAT(WindowsOf("4096"), ElementsAre("4096"));
  EXPECT_THAT(WindowsOf("[4096, 1, 0, 4294967295]"), ElementsAre("4096", "1", "0", "4294967295"));
  EXPECT_THAT(WindowsOf("{log2: [1, 8]}"), ElementsAre("1", "2", "4", "8"));
  EXPECT_THAT(WindowsOf("{log2: [1024, 1024]}"), ElementsAre("1024"));
  EXPECT_THAT(WindowsOf("{log2: [1073741824, 2147483648]}"),
              ElementsAre("1073741824", "2147483648"));
  EXPECT_THAT(WindowsOf("{linear: [0, 10, 5]}"), ElementsAre("0", "5", "10"));
  EXPECT_THAT(WindowsOf("{linear: [1, 10, 5]}"), ElementsAre("1", "6"));
  EXPECT_THAT(WindowsOf("{linear: [4294967290, 4294967295, 18446744073709551615]}"),
              ElementsAre("4294967290"));
}

TEST(Plan, PointsAreTheProductTheFirstKeySlowest) {
  const Plan plan = Parse(WithParams("{ple_gap: [0, 128], ple_window: [1024, 4096]}"));
  std::vector<std::string> points;
  for (const host::ParamValues& set : plan.param_sets) {
    points.push_back(set.at("ple_gap") + "/" + set.at("ple_window"));
  }
  EXPECT_THAT(points, ElementsAre("0/1024", "128/1024", "128/4096"));
  EXPECT_EQ(plan.equal_sets.size(), 1U);
  EXPECT_EQ(plan.trials, 3U * plan.workloads.size() * plan.arms.size() * plan.blocks);
}

TEST(Plan, EqualSettingsAreKeptWhenAskedFor) {
  const std::string text = WithParams("{ple_gap: [0, 128], ple_window: [1024, 4096]}");
  EXPECT_EQ(Parse(text + "equal_settings: keep\n").param_sets.size(), 4U);
  EXPECT_EQ(Parse(text + "equal_settings: once\n").param_sets.size(), 3U);
  EXPECT_FALSE(ParsePlan(text + "equal_settings: twice\n", "p.yaml", Payloads()));
}

TEST(Plan, ParamsCanBeAListOfSets) {
  const Plan plan =
      Parse(WithParams("[{ple_gap: 0}, {ple_gap: 128, ple_window: {log2: [1024, 4096]}}]"));
  EXPECT_THAT(plan.param_sets,
              ElementsAre(host::ParamValues{{"ple_gap", "0"}},
                          host::ParamValues{{"ple_gap", "128"}, {"ple_window", "1024"}},
                          host::ParamValues{{"ple_gap", "128"}, {"ple_window", "2048"}},
                          host::ParamValues{{"ple_gap", "128"}, {"ple_window", "4096"}}));
}

TEST(Plan, AListOfSetsIsCheckedWithItsPlaces) {
  const auto error_of = [](const std::string& params) {
    const Result<Plan> plan = ParsePlan(WithParams(params), "p.yaml", Payloads());
    return plan ? "no error" : plan.error().message;
  };
  EXPECT_THAT(error_of("[{ple_gap: 0}, {ple_gap: [128, 0]}]"),
              ::testing::HasSubstr("params: the set ple_gap=0 stands twice"));
  EXPECT_THAT(error_of("[{ple_gap: 0}, {pause_filter_count: 3000}]"),
              ::testing::HasSubstr("the sets before are of kvm_intel"));
  EXPECT_THAT(error_of("[{ple_gap: 0}, 5]"), ::testing::HasSubstr("a list of maps"));
  EXPECT_THAT(error_of("[]"), ::testing::HasSubstr("the list is empty"));
  EXPECT_THAT(error_of("[{ple_gap: 128, ple_window: 2, ple_window_grow: 9}]"),
              ::testing::HasSubstr("is refused"));
}

TEST(Plan, WorkloadKeysAreAxesToo) {
  const Plan plan = Parse(
      "name: x\nworkloads:\n- {payload: [ttas, ticket], vcpus: {log2: [2, 4]}, cpus: [0]}\n"
      "- {payload: pause_storm, cpus: 0, scheduling: [other, fifo], vcpus: 1}\n");
  std::vector<std::string> workloads;
  for (const guests::Workload& workload : plan.workloads) {
    workloads.push_back(workload.payload + std::to_string(workload.vcpus));
  }
  EXPECT_THAT(workloads,
              ElementsAre("ttas2", "ttas4", "ticket2", "ticket4", "pause_storm1", "pause_storm1"));
}

TEST(Plan, InterruptsOffIsAnAxis) {
  const Plan plan = Parse(
      "name: x\nworkloads:\n"
      "- {payload: ttas, cpus: 0, interrupts_off: [locking, never, holding]}\n");
  std::vector<guests::InterruptsOff> words;
  for (const guests::Workload& workload : plan.workloads) words.push_back(workload.interrupts_off);
  EXPECT_THAT(words, ElementsAre(guests::InterruptsOff::kLocking, guests::InterruptsOff::kNever,
                                 guests::InterruptsOff::kHolding));
}

TEST(Plan, AWindowOfZeroIsFine) { EXPECT_THAT(WindowsOf("[0, 9]"), ElementsAre("0", "9")); }

TEST(Plan, AListOfCpusIsOneValueAndAListOfListsIsAnAxis) {
  const auto cpus_of = [](const std::string& cpus) {
    std::vector<std::vector<int>> sets;
    for (const auto& workload :
         Parse("name: x\nworkloads: [{payload: ttas, cpus: " + cpus + "}]").workloads) {
      sets.push_back(workload.cpus);
    }
    return sets;
  };
  EXPECT_THAT(cpus_of("3"), ElementsAre(ElementsAre(3)));
  EXPECT_THAT(cpus_of("[0, 2]"), ElementsAre(ElementsAre(0, 2)));
  EXPECT_THAT(cpus_of("[[0], [0, 2]]"), ElementsAre(ElementsAre(0), ElementsAre(0, 2)));
}

TEST(Plan, LabSeedsAreAnAxis) {
  const auto seeds_of = [](const std::string& seeds) {
    return Parse("name: x\nlab_seeds: " + seeds + "\nworkloads: [{payload: ttas, cpus: 0}]\n")
        .lab_seeds;
  };
  EXPECT_THAT(seeds_of("7"), ElementsAre(7));
  EXPECT_THAT(seeds_of("[400000000, 0]"), ElementsAre(400'000'000, 0));
  EXPECT_THAT(seeds_of("{linear: [0, 4, 2]}"), ElementsAre(0, 2, 4));
  EXPECT_THAT(seeds_of("{log2: [1, 4]}"), ElementsAre(1, 2, 4));
}

TEST(KeepOnlyLabSeed, LeavesOneReplicateOfTheSamePlan) {
  const Plan whole = Parse("name: x\nlab_seeds: [3, 5]\nworkloads: [{payload: ttas, cpus: 0}]\n");
  Plan plan = whole;
  ASSERT_TRUE(KeepOnlyLabSeed(5, plan));
  EXPECT_THAT(plan.lab_seeds, ElementsAre(5));
  EXPECT_EQ(plan.sha256, whole.sha256);
  EXPECT_EQ(plan.text, whole.text);
}

TEST(KeepOnlyLabSeed, RefusesASeedThatThePlanDoesNotHave) {
  Plan plan = Parse("name: x\nlab_seeds: [3, 5]\nworkloads: [{payload: ttas, cpus: 0}]\n");
  const Status kept = KeepOnlyLabSeed(4, plan);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(kept.error().message, HasSubstr("no lab seed 4"));
  plan.lab_seeds.clear();
  EXPECT_FALSE(KeepOnlyLabSeed(0, plan));
}

TEST(Plan, ComesFromAFile) {
  const TempDir dir;
  const auto path = dir.path() / "plan.yaml";
  ASSERT_TRUE(WriteFileAtomically(path, "name: x\nworkload: 1\n"));
  const Result<Plan> plan = LoadPlan(path, Payloads());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(plan.error().message, HasSubstr(path.string() + ":2:1: "));
  const Result<Plan> absent = LoadPlan(dir.path() / "absent.yaml", Payloads());
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kBadInput);
}

TEST(Plan, TheShippedPlansAreValid) {
  for (const char* name : {"quickstart", "replicates", "gap_trap", "lab_tables"}) {
    const std::string path = std::string(PLECTL_SOURCE_DIR "/bench/plans/") + name + ".yaml";
    const Result<Plan> plan = LoadPlan(path, Payloads());
    EXPECT_TRUE(plan) << plan.error().Text();
  }
}

}  // namespace
}  // namespace plectl::experiment
