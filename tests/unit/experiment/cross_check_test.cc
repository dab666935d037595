// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/cross_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::experiment {
namespace {

using ::testing::HasSubstr;

ObservedCounts AgreeingCounts() {
  ObservedCounts observed;
  observed.primary.by_reason = {{"PAUSE_INSTRUCTION", 7}, {"EXTERNAL_INTERRUPT", 3}};
  observed.primary.total = 10;
  observed.primary.pause_exits = 7;
  observed.primary.window_updates = 5;
  observed.primary.window_growths = 3;
  observed.primary.window_shrinks = 2;
  observed.check.emplace().pause_exits = 7;
  return observed;
}

TrialRecord RecordWithKvmExits(const std::vector<Count>& kvm_exits) {
  TrialRecord record;
  for (const Count& exits : kvm_exits) {
    guests::VcpuResult vcpu;
    vcpu.kvm_exits = exits;
    record.vcpus.push_back(vcpu);
  }
  return record;
}

std::string WhyInvalid(const ObservedCounts& observed,
                       const std::vector<Count>& kvm_exits = {4, 6}) {
  TrialRecord record = RecordWithKvmExits(kvm_exits);
  RecordCounts(observed, record);
  return record.invalid_because;
}

TEST(CrossCheck, AgreementIsValidAndEveryCountIsTaken) {
  TrialRecord record = RecordWithKvmExits({4, 6});
  RecordCounts(AgreeingCounts(), record);
  EXPECT_TRUE(record.valid()) << record.invalid_because;
  EXPECT_EQ(record.pause_exits, Count(7));
  EXPECT_EQ(record.pause_exits_check, Count(7));
  EXPECT_EQ(record.exits_total, Count(10));
  EXPECT_EQ(record.kvm_exits_total, Count(10));
  EXPECT_EQ(record.window_updates, Count(5));
  EXPECT_EQ(record.exits.at("EXTERNAL_INTERRUPT"), 3U);
}

TEST(CrossCheck, DisagreementOnPauseExitsIsInvalid) {
  ObservedCounts observed = AgreeingCounts();
  observed.check->pause_exits = 6;
  EXPECT_THAT(WhyInvalid(observed), HasSubstr("disagree on the PAUSE exits: 7 against 6"));
}

TEST(CrossCheck, AMissingCountIsInvalidWithItsReason) {
  ObservedCounts observed = AgreeingCounts();
  observed.primary.pause_exits = Count::Missing("no tracefs");
  EXPECT_THAT(WhyInvalid(observed), HasSubstr("no tracefs"));
  observed = AgreeingCounts();
  observed.check->pause_exits = Count::Missing("no kprobe");
  EXPECT_THAT(WhyInvalid(observed), HasSubstr("not checked: no kprobe"));
}

TEST(CrossCheck, LostEventsAreInvalid) {
  ObservedCounts observed = AgreeingCounts();
  observed.check->lost_because = "2 recursion misses";
  EXPECT_THAT(WhyInvalid(observed), HasSubstr("check observer lost events: 2 recursion misses"));
  observed.primary.lost_because = "multiplexed";
  EXPECT_THAT(WhyInvalid(observed), HasSubstr("the observer lost events: multiplexed"));
}

TEST(CrossCheck, TheTotalMustEqualKvmsOwn) {
  EXPECT_THAT(WhyInvalid(AgreeingCounts(), {4, 7}), HasSubstr("saw 10 exits, KVM's own"));
}

// VMX with APICv before Linux 6.4: two of the timer's exits are in no statistic.
TEST(CrossCheck, ExitsThatKvmDoesNotCountAreNoReasonToDoubtUpToAsManyAsThereCanBe) {
  ObservedCounts observed = AgreeingCounts();
  observed.primary.by_reason = {{"PAUSE_INSTRUCTION", 7}, {"PREEMPTION_TIMER", 2}, {"HLT", 1}};
  EXPECT_THAT(WhyInvalid(observed, {4, 4}), HasSubstr("saw 10 exits, KVM's own"));
  observed.kvm_lacks_fast_path_exits = true;
  EXPECT_EQ(WhyInvalid(observed, {4, 6}), "");
  EXPECT_EQ(WhyInvalid(observed, {4, 4}), "");
  EXPECT_THAT(WhyInvalid(observed, {4, 3}), HasSubstr("saw 10 exits, KVM's own"));
  EXPECT_THAT(WhyInvalid(observed, {4, 7}), HasSubstr("saw 10 exits, KVM's own"));
}

TEST(CrossCheck, WithoutObserversKvmsOwnCountStandsAloneAndTheTrialIsValid) {
  ObservedCounts observed;
  observed.primary.attached = false;
  observed.unchecked_because = "nobody watched";
  observed.primary.by_reason_missing_because = "nobody watched";
  observed.primary.pause_exits = Count::Missing("nobody watched");
  TrialRecord record = RecordWithKvmExits({4, 6});
  RecordCounts(observed, record);
  EXPECT_TRUE(record.valid()) << record.invalid_because;
  EXPECT_EQ(record.pause_exits, Count::Missing("nobody watched"));
  EXPECT_EQ(record.exits_missing_because, "nobody watched");
  EXPECT_EQ(record.pause_exits_check, Count::Missing("nobody watched"));
  EXPECT_EQ(record.kvm_exits_total, Count(10));
}

TEST(CrossCheck, AMeasuredTrialHasNoCheckAndSaysWhy) {
  ObservedCounts observed = AgreeingCounts();
  observed.check.reset();
  observed.unchecked_because = "in the control trials only";
  TrialRecord record = RecordWithKvmExits({4, 6});
  RecordCounts(observed, record);
  EXPECT_TRUE(record.valid()) << record.invalid_because;
  EXPECT_EQ(record.pause_exits_check, Count::Missing("in the control trials only"));
  EXPECT_THAT(WhyInvalid(observed, {4, 7}), HasSubstr("saw 10 exits, KVM's own"));
}

TEST(CrossCheck, PauseExitsAloneCannotBeMoreThanKvmsTotal) {
  ObservedCounts observed;
  observed.primary.pause_exits = 7;
  observed.primary.by_reason_missing_because = "PAUSE exits only";
  observed.unchecked_because = "no second observer";
  EXPECT_EQ(WhyInvalid(observed, {4, 3}), "");
  EXPECT_THAT(WhyInvalid(observed, {3, 3}), HasSubstr("saw 7 PAUSE exits, KVM's own"));
}

TEST(CrossCheck, WhatIsKnownOfEachVcpuIsTaken) {
  ObservedCounts observed = AgreeingCounts();
  observed.primary.vcpus.resize(2);
  observed.primary.vcpus[1].pause_exits = 7;
  TrialRecord record = RecordWithKvmExits({4, 6});
  RecordCounts(observed, record);
  EXPECT_EQ(record.observed, observed.primary.vcpus);
}

TEST(CrossCheck, AKernelWithoutTheStatisticIsNoReasonToDoubt) {
  TrialRecord record = RecordWithKvmExits({4, Count::Missing("no KVM_GET_STATS_FD")});
  RecordCounts(AgreeingCounts(), record);
  EXPECT_TRUE(record.valid());
  EXPECT_FALSE(record.kvm_exits_total.has_value());
}

}  // namespace
}  // namespace plectl::experiment
