// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/calibration_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plectl::output {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

experiment::CalibrationReport Sample() {
  experiment::CalibrationReport report;
  report.gap_name = "ple_gap";
  report.calibration = {140.25, 142.5, 142, 2'000'000, ""};
  report.cliffs = {{"pause_loop", 0, 142, 142, Count(143)},
                   {"wait_loop", 5, 153.5, 154, Count::Missing("no PAUSE exit under any gap")}};
  report.observers = {{"bpf (default)", 178.4, ""}, {"perf", std::nullopt, "not permitted"}};
  return report;
}

TEST(CalibrationText, PutsPredictionAndMeasurementSideBySide) {
  const std::string text = CalibrationText(Sample());
  EXPECT_THAT(text, HasSubstr("PAUSE: 140.250 TSC cycles (70.12 ns)"));
  EXPECT_THAT(text, HasSubstr("first ple_gap: predicted"));
  EXPECT_THAT(text, HasSubstr("142.000                       142       143          +1\n"));
  EXPECT_THAT(text, HasSubstr("153.500                       154   missing\n"));
  EXPECT_THAT(text, HasSubstr("178  89\n"));
  EXPECT_THAT(text, HasSubstr("missing: perf: not permitted"));
}

TEST(CalibrationText, SaysWhyNothingCouldBeTried) {
  experiment::CalibrationReport report = Sample();
  report.observers.clear();
  report.not_tried_because = "this CPU offers no pause-loop exiting";
  const std::string text = CalibrationText(report);
  EXPECT_THAT(text, HasSubstr("no cliff and no observer measured: this CPU offers no"));
  EXPECT_THAT(text, Not(HasSubstr("added per PAUSE exit")));
}

TEST(CalibrationJson, HoldsTheSame) {
  const nlohmann::json json = nlohmann::json::parse(CalibrationJson(Sample()));
  EXPECT_EQ(json["kind"], "calibration");
  EXPECT_EQ(json["calibration"]["pause_tsc_cycles"], 140.25);
  EXPECT_EQ(json["loops"][0]["first_gap_tsc_cycles"], 143);
  EXPECT_EQ(json["loops"][1]["first_gap_tsc_cycles"]["missing_because"],
            "no PAUSE exit under any gap");
  EXPECT_EQ(json["observers"][0]["ns_per_pause_exit"], 89.2);
  EXPECT_EQ(json["observers"][1]["missing_because"], "not permitted");
  EXPECT_FALSE(json.contains("not_tried_because"));
}

}  // namespace
}  // namespace plectl::output
