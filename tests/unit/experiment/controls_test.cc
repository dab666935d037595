// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/controls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using host::KvmModule;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Control& Named(const ControlPlan& plan, std::string_view name) {
  return *std::ranges::find(plan.controls, name, &Control::name);
}

TEST(SuitControls, TakesShortWindowsAndGapsWithRoom) {
  const auto suit = [](const char* window, const char* gap) {
    return SuitControls(KvmModule::kIntel, {{"ple_window", window}, {"ple_gap", gap}}, 3);
  };
  EXPECT_TRUE(suit("4096", "128"));
  EXPECT_TRUE(suit("65536", "12"));
  EXPECT_FALSE(suit("65536", "11"));
  EXPECT_FALSE(suit("70000", "128"));
  EXPECT_FALSE(suit("0", "128"));
  EXPECT_FALSE(SuitControls(KvmModule::kIntel, {{"ple_window", "4096"}}, 3));
  const auto amd = [](const char* count) {
    return SuitControls(KvmModule::kAmd,
                        {{"pause_filter_count", count}, {"pause_filter_thresh", "128"}}, 20);
  };
  EXPECT_TRUE(amd("3000"));
  EXPECT_FALSE(amd("4000"));
}

TEST(ControlParams, HaveAFixedWindowAndAGapWellAboveTheLoop) {
  const host::ParamValues intel = ControlParams(KvmModule::kIntel, 142);
  EXPECT_EQ(intel.at("ple_window"), "4096");
  EXPECT_EQ(intel.at("ple_window_grow"), "0");
  EXPECT_EQ(intel.at("ple_gap"), "568");
  EXPECT_EQ(ControlParams(KvmModule::kIntel, 3).at("ple_gap"), "128");
  const host::ParamValues amd = ControlParams(KvmModule::kAmd, 1e6);
  EXPECT_EQ(amd.at("pause_filter_count"), "3000");
  EXPECT_EQ(amd.at("pause_filter_thresh"), "60000");  // fits into its 16 bits
}

TEST(ControlParams, AreValuesThatTheKernelTakesAsTheyAre) {
  for (const KvmModule module : {KvmModule::kIntel, KvmModule::kAmd}) {
    for (const double interval : {0.5, 3.0, 142.0, 1e9}) {
      EXPECT_TRUE(host::CheckPleValues(module, ControlParams(module, interval)));
    }
  }
}

TEST(PlanControls, WaitTwentyWindowsOrHalfOfOne) {
  const ControlPlan plan = PlanControls(KvmModule::kIntel, {{"ple_window", "4096"}}, 3);
  ASSERT_EQ(plan.controls.size(), 3U);
  // 20 times floor(4096 / 3) + 2, after which the closed form of docs/guest.md has 20 exits.
  EXPECT_EQ(Named(plan, "ple_fires").turns, 20U * 1367);
  EXPECT_TRUE(Named(plan, "ple_fires").must_exit);
  EXPECT_EQ(Named(plan, "nop").arm, Arm::kNop);
  EXPECT_FALSE(Named(plan, "nop").must_exit);
  EXPECT_EQ(Named(plan, "below_window").turns, 682U);
}

TEST(PlanControls, CountAmdsWindowInPauses) {
  const ControlPlan plan = PlanControls(KvmModule::kAmd, {{"pause_filter_count", "3000"}}, 66);
  EXPECT_EQ(Named(plan, "ple_fires").turns, 20U * 3002);
  EXPECT_EQ(Named(plan, "below_window").turns, 1500U);
}

TEST(PlanControls, LeaveOutWhatTheWindowHasNoRoomFor) {
  const ControlPlan plan = PlanControls(KvmModule::kIntel, {{"ple_window", "0"}}, 3);
  EXPECT_EQ(plan.controls.size(), 2U);
  EXPECT_EQ(Named(plan, "ple_fires").turns, 40U);
}

// A core of `core_cycles_per_pause` that runs at `ratio` core cycles per TSC cycle.
uint64_t ExitsOf(const Control& control, uint64_t turns, double interval, uint64_t window,
                 double gap) {
  if (control.arm == Arm::kNop || interval > gap) return 0;
  return turns / (static_cast<uint64_t>(static_cast<double>(window) / interval) + 2);
}

TEST(PlanControls, HoldOnACoreWhoseFrequencyChangesAfterTheCalibration) {
  constexpr double kCoreCyclesPerPause = 140;
  constexpr uint64_t kWindow = 4096;
  for (const double calibrated : {0.4, 1.0, 2.0}) {
    for (const double now : {0.5 * calibrated, calibrated, 4 * calibrated, calibrated / 3.9}) {
      const double interval = kCoreCyclesPerPause / calibrated;
      const host::ParamValues params = ControlParams(KvmModule::kIntel, interval);
      const double gap = std::stod(params.at("ple_gap"));
      const ControlPlan plan = PlanControls(KvmModule::kIntel, params, interval);
      const auto exits = [&](const Control& control, uint32_t halving) {
        return ExitsOf(control, control.turns >> halving, kCoreCyclesPerPause / now, kWindow, gap);
      };
      EXPECT_GT(exits(Named(plan, "ple_fires"), 0), 0U) << calibrated << " " << now;
      EXPECT_THAT(Named(plan, "ple_fires").doubtful_because, IsEmpty());
      const Control& below = Named(plan, "below_window");
      EXPECT_EQ(exits(below, below.halvings), 0U) << calibrated << " " << now;
    }
  }
}

TEST(PlanControls, SayWhenASilentLoopProvesNothing) {
  const host::ParamValues params = {{"ple_window", "4096"}, {"ple_gap", "128"}};
  const ControlPlan near = PlanControls(KvmModule::kIntel, params, 84);
  EXPECT_THAT(Named(near, "ple_fires").doubtful_because,
              HasSubstr("ple_gap=128 is less than 4 times the 84.0 TSC cycles"));
  const ControlPlan far = PlanControls(KvmModule::kIntel, params, 30);
  EXPECT_THAT(Named(far, "ple_fires").doubtful_because, IsEmpty());
}

TEST(PlanControls, SayWhyThereAreNone) {
  EXPECT_THAT(PlanControls(KvmModule::kIntel, {{"ple_window", "4294967295"}}, 3).missing_because,
              HasSubstr("ple_window=4294967295 is too wide a window"));
  EXPECT_THAT(
      PlanControls(KvmModule::kIntel, {{"ple_window", "4096"}, {"ple_gap", "128"}}, 142)
          .missing_because,
      HasSubstr("ple_gap=128 is below the 142.0 TSC cycles from one PAUSE of the loop to the next: "
                "PLE cannot fire here; set ple_gap to at least 142"));
  EXPECT_THAT(PlanControls(KvmModule::kIntel, {}, 3).missing_because,
              HasSubstr("does not say its ple_window"));
}

TEST(WhyFailed, ComparesWithWhatMustCome) {
  const Control fires{"ple_fires", Arm::kPause, 20'000, true, "", 0, ""};
  const Control nop{"nop", Arm::kNop, 20'000, false, "", 0, ""};
  TrialRecord trial = SampleTrial();
  trial.pause_exits = 19;
  EXPECT_THAT(WhyFailed(fires, trial), IsEmpty());
  EXPECT_THAT(WhyFailed(nop, trial),
              HasSubstr("19 PAUSE exits in 20000 turns of a loop of NOPs, expected none"));
  trial.pause_exits = 0;
  EXPECT_THAT(WhyFailed(fires, trial),
              HasSubstr("0 PAUSE exits in 20000 turns of a loop of PAUSEs"));
  EXPECT_THAT(WhyFailed(nop, trial), IsEmpty());
  trial.invalid_because = "the observers disagree";
  EXPECT_EQ(WhyFailed(nop, trial), "the observers disagree");
}

TEST(ControlRecord, ComesBackAsItWasWritten) {
  ControlRecord control{"nop", "no PAUSE exit", "19 PAUSE exits", "", SampleTrial("nop")};
  const nlohmann::json json = ToJson(control);
  EXPECT_EQ(json["passed"], false);
  EXPECT_EQ(ToJson(ControlFromJson(json).value()), json);
  control = {"nop", "", "", "PLE is off", std::nullopt};
  EXPECT_EQ(ToJson(ControlFromJson(ToJson(control)).value()), ToJson(control));
}

TEST(ControlRecord, RefusesAContradiction) {
  nlohmann::json json = ToJson(ControlRecord{"nop", "none", "", "", SampleTrial("nop")});
  json["passed"] = false;
  EXPECT_THAT(ControlFromJson(json).error().message, HasSubstr("control.failed_because"));
  json.erase("trial");
  EXPECT_THAT(ControlFromJson(json).error().message, HasSubstr("control."));
}

}  // namespace
}  // namespace plectl::experiment
