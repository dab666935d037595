// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;

Plan MakePlan(uint64_t seed, uint32_t blocks = 3) {
  Plan plan;
  plan.name = "x";
  plan.seed = seed;
  plan.blocks = blocks;
  plan.arms = {Arm::kPause, Arm::kNop};
  for (const char* window : {"1024", "2048", "4096", "8192"}) {
    plan.param_sets.push_back({{"ple_window", window}});
  }
  for (const char* payload : {"ttas", "ticket"}) {
    guests::Workload workload;
    workload.payload = payload;
    workload.cpus = {0};
    plan.workloads.push_back(workload);
  }
  return plan;
}

std::vector<std::string> IdsOf(const std::vector<ScheduledTrial>& schedule) {
  std::vector<std::string> ids;
  for (const ScheduledTrial& trial : schedule) ids.push_back(trial.id);
  return ids;
}

TEST(Schedule, EveryBlockHoldsEveryTrialOnce) {
  const std::vector<ScheduledTrial> schedule = MakeSchedule(MakePlan(1));
  ASSERT_EQ(schedule.size(), 3U * 4 * 2 * 2);
  std::map<uint32_t, std::set<std::tuple<size_t, size_t, Arm>>> blocks;
  for (size_t i = 0; i < schedule.size(); ++i) {
    EXPECT_EQ(schedule[i].block, i / 16);
    blocks[schedule[i].block].insert(
        {schedule[i].param_set, schedule[i].workload, schedule[i].arm});
  }
  for (const auto& [block, trials] : blocks) EXPECT_EQ(trials.size(), 16U);
}

TEST(Schedule, AParameterSetIsVisitedOncePerBlock) {
  const std::vector<ScheduledTrial> schedule = MakeSchedule(MakePlan(1));
  for (size_t i = 0; i < schedule.size(); i += 4) {
    for (size_t j = i; j < i + 4; ++j) EXPECT_EQ(schedule[j].param_set, schedule[i].param_set);
  }
}

TEST(Schedule, IsTheSameForTheSameSeedOnly) {
  EXPECT_EQ(IdsOf(MakeSchedule(MakePlan(5))), IdsOf(MakeSchedule(MakePlan(5))));
  EXPECT_NE(IdsOf(MakeSchedule(MakePlan(5))), IdsOf(MakeSchedule(MakePlan(6))));
}

// Fixed for ever: a change here would make every run log unresumable.
TEST(Schedule, OrderAndIdsAreTheSameOnEveryMachine) {
  Plan plan = MakePlan(42, 1);
  std::vector<size_t> order;
  for (const ScheduledTrial& trial : MakeSchedule(plan)) order.push_back(trial.param_set);
  EXPECT_THAT(order, ElementsAre(1, 1, 1, 1, 0, 0, 0, 0, 3, 3, 3, 3, 2, 2, 2, 2));
  EXPECT_EQ(MakeSchedule(plan)[0].id, "e23949c6b5bc880f");
}

TEST(Schedule, BlocksHaveDifferentOrders) {
  std::set<std::vector<size_t>> orders;
  const std::vector<ScheduledTrial> schedule = MakeSchedule(MakePlan(1, 20));
  for (size_t block = 0; block < 20; ++block) {
    std::vector<size_t> order;
    for (size_t i = 0; i < 16; i += 4) order.push_back(schedule[block * 16 + i].param_set);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 10U);  // of 24 possible ones
}

// Each parameter set must be first equally often: 4,000 blocks, 1,000 expected, sigma 27.
TEST(Schedule, ShufflesWithoutBias) {
  std::map<size_t, int> first;
  const std::vector<ScheduledTrial> schedule = MakeSchedule(MakePlan(3, 1000));
  for (size_t i = 0; i < schedule.size(); i += 16) ++first[schedule[i].param_set];
  for (const auto& [param_set, count] : first) EXPECT_NEAR(count, 250, 4 * 14) << param_set;
}

TEST(Schedule, IdsDependOnContentOnly) {
  Plan plan = MakePlan(1);
  std::vector<std::string> ids = IdsOf(MakeSchedule(plan));
  plan.name = "renamed";
  plan.seed = 99;
  std::ranges::reverse(plan.param_sets);
  std::ranges::reverse(plan.workloads);
  std::vector<std::string> reordered = IdsOf(MakeSchedule(plan));
  std::ranges::sort(ids);
  std::ranges::sort(reordered);
  EXPECT_EQ(ids, reordered);
  EXPECT_EQ(ids[0].size(), 16U);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(Schedule, IdsTellEveryWorkloadFieldApart) {
  Plan plan = MakePlan(1, 1);
  plan.arms = {Arm::kPause};
  plan.param_sets.resize(1);
  plan.workloads.resize(1, {});
  const guests::Workload base = plan.workloads[0];
  const auto add = [&plan, &base](auto change) {
    guests::Workload workload = base;
    change(workload);
    plan.workloads.push_back(workload);
  };
  add([](guests::Workload& w) { w.vms = 2; });
  add([](guests::Workload& w) { w.vcpus = 3; });
  add([](guests::Workload& w) { w.cpus = {1}; });
  add([](guests::Workload& w) { w.hold_tsc_cycles = 1; });
  add([](guests::Workload& w) { w.think_tsc_cycles = 1; });
  add([](guests::Workload& w) { w.iterations = 2; });
  add([](guests::Workload& w) { w.body_loops = 1; });
  add([](guests::Workload& w) { w.scheduling = guests::VcpuScheduling::kFifo; });
  add([](guests::Workload& w) { w.interrupts_off = guests::InterruptsOff::kHolding; });
  add([](guests::Workload& w) { w.interrupts_off = guests::InterruptsOff::kLocking; });
  add([](guests::Workload& w) { w.duration_tsc_cycles = 2, w.iterations = 0; });
  add([](guests::Workload& w) { w.hold_distribution = guests::Distribution::kExponential; });
  add([](guests::Workload& w) { w.think_distribution = guests::Distribution::kExponential; });
  add([](guests::Workload& w) { w.random_seed = 2; });
  add([](guests::Workload& w) { w.relax_repeat = 2; });
  EXPECT_EQ(MakeSchedule(plan).size(), 16U);  // it aborts when two ids are equal
}

// Fixed for ever too.
TEST(Schedule, LabSeedsHaveIdsOfTheirOwn) {
  Plan plan = MakePlan(42, 1);
  plan.lab_seeds = {0, 3};
  const std::vector<ScheduledTrial> schedule = MakeSchedule(plan);
  EXPECT_EQ(schedule[0].id, "466a7c6fb2773072");
  EXPECT_EQ(schedule[16].id, "1b5e03b2b0f626cc");
  plan.lab_seeds = {3};
  EXPECT_EQ(MakeSchedule(plan)[0].id, schedule[16].id);
}

TEST(Schedule, EveryLabSeedRepeatsThePlanInTheSameOrder) {
  Plan plan = MakePlan(1);
  const std::vector<ScheduledTrial> once = MakeSchedule(plan);
  EXPECT_FALSE(once[0].lab_seed);
  plan.lab_seeds = {9, 4, 0};
  const std::vector<ScheduledTrial> schedule = MakeSchedule(plan);
  ASSERT_EQ(schedule.size(), 3 * once.size());
  for (size_t i = 0; i < schedule.size(); ++i) {
    const ScheduledTrial& trial = once[i % once.size()];
    EXPECT_EQ(schedule[i].lab_seed, plan.lab_seeds[i / once.size()]);
    EXPECT_EQ(
        std::tuple(schedule[i].block, schedule[i].param_set, schedule[i].workload, schedule[i].arm),
        std::tuple(trial.block, trial.param_set, trial.workload, trial.arm));
  }
  std::vector<std::string> ids = IdsOf(schedule);
  const std::vector<std::string> ids_once = IdsOf(once);
  ids.insert(ids.end(), ids_once.begin(), ids_once.end());
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(Schedule, TwoEqualTrialsAreABug) {
  Plan plan = MakePlan(1, 1);
  plan.workloads[1] = plan.workloads[0];
  EXPECT_DEATH(MakeSchedule(plan), "two trials of a plan have the same id");
}

TEST(CountParamChanges, CountsTheFirstAndEveryChange) {
  EXPECT_EQ(CountParamChanges({}), 0U);
  std::vector<ScheduledTrial> schedule(5);
  EXPECT_EQ(CountParamChanges(schedule), 1U);
  schedule[2].param_set = 1;
  EXPECT_EQ(CountParamChanges(schedule), 3U);
  schedule[3].param_set = 1;
  schedule[4].param_set = 1;
  EXPECT_EQ(CountParamChanges(schedule), 2U);
  for (ScheduledTrial& trial : schedule) trial = ScheduledTrial();
  schedule[4].lab_seed = 1;  // another lab: the module as its host has it
  EXPECT_EQ(CountParamChanges(schedule), 2U);
}

}  // namespace
}  // namespace plectl::experiment
