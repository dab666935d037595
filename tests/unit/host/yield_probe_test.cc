// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/yield_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::host {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

std::string_view AnswerOf(milliseconds yielder, milliseconds spinner) {
  return JudgeYieldShares({.yielder = yielder, .spinner = spinner}).answer;
}

TEST(YieldProbe, JudgesByWhatTheYielderGot) {
  EXPECT_EQ(AnswerOf(milliseconds(28), milliseconds(32)), "no");  // Linux 6.1 in the lab: 46 %
  EXPECT_EQ(AnswerOf(milliseconds(1), milliseconds(60)), "yes");  // Linux 6.12.95: 1 %
  EXPECT_EQ(AnswerOf(milliseconds(0), milliseconds(60)), "yes");
  EXPECT_EQ(AnswerOf(milliseconds(12), milliseconds(48)), "unknown");
}

TEST(YieldProbe, SaysThatTooLittleCpuTimeTellsNothing) {
  const ProbedAnswer answer =
      JudgeYieldShares({.yielder = milliseconds(0), .spinner = milliseconds(15)});
  EXPECT_EQ(answer.answer, "unknown");
  EXPECT_THAT(answer.because, HasSubstr("15.0 ms"));
}

// Which answer is right depends on the kernel that the test runs on: the lab's are known
// (tests/lab/kernel_behaviour_test.py).
TEST(YieldProbe, MeasuresThisKernelOrSaysWhyNot) {
  const ProbedAnswer answer = ProbeForfeitOnYield();
  EXPECT_THAT(answer.answer, testing::AnyOf("yes", "no", "unknown"));
  EXPECT_FALSE(answer.because.empty());
}

}  // namespace
}  // namespace plectl::host
