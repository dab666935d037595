// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/gap_reach.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::experiment {
namespace {

using host::KvmModule;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Calibration Calibrated() {
  return {.pause_tsc_cycles = 140,
          .wait_loop_tsc_cycles = 142,
          .pause_loop_tsc_cycles = 141,
          .tsc_khz = 2'000'000,
          .missing_because = ""};
}

TEST(LeastInterval, IsThatOfTheWorkloadsLoop) {
  guests::Workload workload;
  workload.payload = "ttas";
  EXPECT_EQ(LeastIntervalTscCycles(workload, Calibrated()), 142);
  workload.relax_repeat = 8;
  EXPECT_EQ(LeastIntervalTscCycles(workload, Calibrated()), 140) << "a row has nothing in between";
  workload = {};
  workload.payload = "pause_loop";
  EXPECT_EQ(LeastIntervalTscCycles(workload, Calibrated()), 141);
  EXPECT_EQ(LeastIntervalTscCycles(workload, {.missing_because = "no KVM"}), 0);
}

TEST(WhyGapTooSmall, NamesTheGapTheTurnAndTheStep) {
  EXPECT_EQ(WhyGapTooSmall(KvmModule::kIntel, {{"ple_gap", "128"}}, 142),
            "ple_gap=128 is below the 142.0 TSC cycles from one PAUSE of the loop to the next: PLE "
            "cannot fire here; set ple_gap to at least 142");
  EXPECT_THAT(WhyGapTooSmall(KvmModule::kAmd, {{"pause_filter_thresh", "60"}}, 65.2),
              HasSubstr("set pause_filter_thresh to at least 66"));
}

TEST(WhyGapTooSmall, IsSilentWherePleFiresOrIsOffOrNothingIsKnown) {
  const auto why = [](const host::ParamValues& params, double interval) {
    return WhyGapTooSmall(KvmModule::kIntel, params, interval);
  };
  EXPECT_THAT(why({{"ple_gap", "142"}}, 142), IsEmpty());
  EXPECT_THAT(why({{"ple_gap", "142"}}, 142.004), IsEmpty()) << "the calibration's noise";
  EXPECT_THAT(why({{"ple_gap", "0"}}, 142), IsEmpty());
  EXPECT_THAT(why({{"ple_gap", "1"}}, 0), IsEmpty());
  EXPECT_THAT(why({{"ple_gap", "N"}}, 142), IsEmpty());
  EXPECT_THAT(why({}, 142), IsEmpty());
}

}  // namespace
}  // namespace plectl::experiment
