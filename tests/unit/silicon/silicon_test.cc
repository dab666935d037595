// SPDX-License-Identifier: Apache-2.0
// What the checks assume of a CPU, on one: the payloads run here as threads of ring 3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host_tools/guests/contention.h"
#include "host_tools/guests/result_check.h"
#include "tests/unit/silicon/ring3.h"

namespace plectl {
namespace {

using guests::PayloadInfo;
using guests::VcpuResult;
using guests::Workload;

PayloadInfo Describe(const std::string& name) {
  PayloadInfo info;
  info.name = name;
  info.is_spinner = name.ends_with("_loop") || name == "pause_storm" || name == "relax_cost";
  info.has_rounds = !info.is_spinner;
  info.is_lock = info.has_rounds && name != "barrier";
  if (name == "relax_cost") info.extra_names = {"relax", "wait_loop", "pause_loop"};
  if (name == "pause_storm") info.extra_names = {"interval", "runs", "longest", "full", "cycles"};
  return info;
}

ring3_request RequestOf(const char* payload, uint32_t vcpus, uint64_t iterations) {
  ring3_request request{};
  request.payload = payload;
  request.vcpus = vcpus;
  request.cpus = 1;
  request.iterations = iterations;
  return request;
}

// What the host takes of what ran.
Result<std::vector<VcpuResult>> RunInRing3(const ring3_request& request) {
  const auto result = std::make_unique<ring3_result>();
  if (const int code = ring3_run(&request, result.get()); code != 0) {
    return Internal("ring3_run: code " + std::to_string(code));
  }
  Workload workload;
  workload.payload = request.payload;
  workload.vcpus = request.vcpus;
  workload.iterations = request.iterations;
  workload.duration_tsc_cycles = request.duration_tsc_cycles;
  return guests::CheckResultBlock(result->block, result->histograms, Describe(request.payload),
                                  workload);
}

TEST(Silicon, EveryLockExcludesAndGivesAResultThatMakesSense) {
  for (const char* payload :
       {"tas", "ttas", "ticket", "mcs", "qspinlock", "holder_preempted", "token_ring", "barrier"}) {
    for (const uint32_t vcpus : {2U, 3U}) {
      for (const uint32_t nop : {0U, 1U}) {
        ring3_request request = RequestOf(payload, vcpus, 15);
        request.cpus = 2;
        request.nop = nop;
        request.hold_tsc_cycles = 50'000;
        const auto result = RunInRing3(request);
        EXPECT_TRUE(result) << payload << ": " << result.error().Text();
      }
    }
  }
}

// A core above the TSC's rate, or just a wide one, executes more relax instructions than the TSC
// counts cycles.
TEST(Silicon, SpinsMayBeMoreThanTheTscsCycles) {
  for (const char* payload : {"pause_loop", "wait_loop", "user_pause_loop"}) {
    for (const double rate : {1.0, 0.5, 0.25}) {
      ring3_request request = RequestOf(payload, 1, 100'000);
      request.nop = 1;
      request.clock_rate = rate;
      const auto result = RunInRing3(request);
      ASSERT_TRUE(result) << payload << " at " << rate << ": " << result.error().Text();
      EXPECT_EQ(result->front().spins, 100'000U);
    }
  }
}

TEST(Silicon, TheTurboOfThisTestWouldHaveBeenRefused) {
  ring3_request request = RequestOf("pause_loop", 1, 1'000'000);
  request.nop = 1;
  request.clock_rate = 0.1;
  const auto result = RunInRing3(request);
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_GT(result->front().spins, result->front().tsc_end - result->front().tsc_start);
}

TEST(Silicon, LoopsInEveryShapeAreCounted) {
  for (const uint32_t nop : {0U, 1U}) {
    for (const uint64_t body_loops : {0U, 1U, 100U}) {
      ring3_request request = RequestOf("wait_loop", 1, 1000);
      request.nop = nop;
      request.body_loops = body_loops;
      const auto result = RunInRing3(request);
      ASSERT_TRUE(result) << result.error().Text();
      EXPECT_EQ(result->front().spins, 1000U);
    }
    ring3_request request = RequestOf("wait_loop", 1, 10);
    request.nop = nop;
    request.relax_repeat = 64;
    const auto result = RunInRing3(request);
    ASSERT_TRUE(result) << result.error().Text();
    EXPECT_EQ(result->front().spins, 640U);
  }
}

// Turbo, a TSC as fast as the core, and a TSC that is faster: each distance is measured.
TEST(Silicon, TheCalibrationMeasuresAtAnyRatioOfCoreAndTsc) {
  for (const double rate : {0.5, 1.0, 2.5}) {
    ring3_request request = RequestOf("relax_cost", 1, 1);
    request.clock_rate = rate;
    const auto result = RunInRing3(request);
    ASSERT_TRUE(result) << result.error().Text();
    for (const auto& [name, milli_cycles] : result->front().extra) {
      EXPECT_GT(milli_cycles, 0U) << name << " at " << rate;
    }
  }
}

// 34 looks at the clock are the 16 shorter runs of the row, and one.
TEST(Silicon, TheCalibrationMeasuresWhileTheCoreBecomesFaster) {
  for (const uint64_t calls : {2U, 17U, 34U, 65U, 98U}) {
    ring3_request request = RequestOf("relax_cost", 1, 1);
    request.clock_rate = 2.5;
    request.clock_rate_then = 0.5;
    request.calls = calls;
    const auto result = RunInRing3(request);
    ASSERT_TRUE(result) << result.error().Text();
    for (const auto& [name, milli_cycles] : result->front().extra) {
      EXPECT_GT(milli_cycles, 0U) << name << " after " << calls;
    }
  }
}

TEST(Silicon, TheStormFindsItsIntervalAndDoesWhatItShall) {
  for (const uint64_t body_loops : {0U, 20U}) {
    ring3_request request = RequestOf("pause_storm", 1, 200'000);
    request.body_loops = body_loops;
    const auto result = RunInRing3(request);
    ASSERT_TRUE(result) << result.error().Text();
    EXPECT_GT(result->front().extra.at("interval"), 0U);
    EXPECT_LT(result->front().extra.at("interval"), 1'000'000U);  // no difference below 0
  }
}

TEST(Silicon, AVcpuThatIsDoneInItsFirstTimeSliceMeetsNobody) {
  const auto brief = RunInRing3(RequestOf("mcs", 4, 25));
  ASSERT_TRUE(brief) << brief.error().Text();
  EXPECT_THAT(guests::WhyNotContended(guests::ContentionOf(*brief), 4),
              ::testing::HasSubstr("of 100 acquisitions had to wait"));
  const auto long_enough = RunInRing3(RequestOf("token_ring", 4, 10));
  ASSERT_TRUE(long_enough) << long_enough.error().Text();
  EXPECT_EQ(guests::WhyNotContended(guests::ContentionOf(*long_enough), 4), "");
}

TEST(Silicon, TheTscOfACpuNeverGoesBack) { EXPECT_EQ(ring3_stamps_gone_back(1'000'000), 0U); }

}  // namespace
}  // namespace plectl
