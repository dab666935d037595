// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "host_tools/analysis/summary.h"

namespace plectl::analysis {
namespace {

TrialSample Locked() {
  TrialSample sample;
  sample.throughput_per_s = 1000;
  sample.pause_exits = Count(50);
  sample.window_updates = Count(7);
  sample.acquisitions = 200;
  sample.fairness_jain = 0.75;
  sample.wait_p99_tsc_cycles = 12345;
  return sample;
}

TEST(Readings, OfALockPayload) {
  const PerQuantity<Reading> readings = ReadingsOf(Locked());
  EXPECT_EQ(readings[Quantity::kThroughput].value, 1000);
  EXPECT_EQ(readings[Quantity::kPauseExits].value, 50);
  EXPECT_EQ(readings[Quantity::kExitsPerAcquisition].value, 0.25);
  EXPECT_EQ(readings[Quantity::kWindowUpdates].value, 7);
  EXPECT_EQ(readings[Quantity::kFairness].value, 0.75);
  EXPECT_EQ(readings[Quantity::kWaitP99].value, 12345);
  EXPECT_EQ(readings[Quantity::kPauseInterval].missing_because, "only pause_storm measures it");
}

TEST(Readings, AMissingCountKeepsItsReasonEverywhere) {
  TrialSample sample = Locked();
  sample.pause_exits = Count::Missing("BPF is not allowed here");
  const PerQuantity<Reading> readings = ReadingsOf(sample);
  for (const Quantity quantity : {Quantity::kPauseExits, Quantity::kExitsPerAcquisition}) {
    EXPECT_FALSE(readings[quantity].value);
    EXPECT_EQ(readings[quantity].missing_because, "BPF is not allowed here");
  }
}

TEST(Readings, WhatOlderRecordsLackIsMissing) {
  const PerQuantity<Reading> readings = ReadingsOf(TrialSample());
  for (const Quantity quantity : {Quantity::kFairness, Quantity::kWaitP99}) {
    EXPECT_FALSE(readings[quantity].value);
    EXPECT_NE(readings[quantity].missing_because, "");
  }
}

TEST(Readings, NoAcquisitionIsNoDivision) {
  TrialSample sample = Locked();
  sample.acquisitions = 0;
  const Reading reading = ReadingsOf(sample)[Quantity::kExitsPerAcquisition];
  EXPECT_FALSE(reading.value);
  EXPECT_EQ(reading.missing_because, "the payload takes no lock");
}

TEST(Readings, ThroughputIsFiniteOrMissing) {
  TrialSample sample = Locked();
  sample.throughput_per_s = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(ReadingsOf(sample)[Quantity::kThroughput].value);
}

TEST(Readings, OfPauseStorm) {
  TrialSample sample = Locked();
  sample.storm = StormTotals{
      .full_runs = 4, .full_runs_tsc_cycles = 4100, .interval_tsc_cycles = 30, .vcpus = 2};
  const PerQuantity<Reading> readings = ReadingsOf(sample);
  EXPECT_EQ(readings[Quantity::kEffectiveWindow].value, 1025);
  EXPECT_EQ(readings[Quantity::kPauseInterval].value, 15);
}

TEST(Readings, WithoutExitsPauseStormSaysNothingAboutTheWindow) {
  TrialSample sample = Locked();
  sample.pause_exits = Count(0);
  sample.storm = StormTotals{
      .full_runs = 4, .full_runs_tsc_cycles = 4100, .interval_tsc_cycles = 15, .vcpus = 1};
  const Reading reading = ReadingsOf(sample)[Quantity::kEffectiveWindow];
  EXPECT_FALSE(reading.value);
  EXPECT_EQ(reading.missing_because, "no PAUSE exit cut a loop");
}

}  // namespace
}  // namespace plectl::analysis
