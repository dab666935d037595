// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/contention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

VcpuResult Vcpu(uint64_t start, uint64_t end, uint64_t contended = 0) {
  VcpuResult vcpu;
  vcpu.acquisitions = 100;
  vcpu.contended = contended;
  vcpu.tsc_start = start;
  vcpu.tsc_end = end;
  return vcpu;
}

TEST(ContentionOf, CountsTheTimeOfTwoOrMore) {
  EXPECT_DOUBLE_EQ(ContentionOf(std::vector{Vcpu(0, 10), Vcpu(10, 20)}).overlap, 0);
  EXPECT_DOUBLE_EQ(ContentionOf(std::vector{Vcpu(0, 10), Vcpu(30, 40)}).overlap, 0);
  EXPECT_DOUBLE_EQ(ContentionOf(std::vector{Vcpu(0, 15), Vcpu(5, 20)}).overlap, 0.5);
  EXPECT_DOUBLE_EQ(ContentionOf(std::vector{Vcpu(7, 9), Vcpu(7, 9)}).overlap, 1);
  EXPECT_DOUBLE_EQ(ContentionOf(std::vector{Vcpu(0, 20), Vcpu(5, 10), Vcpu(8, 15)}).overlap, 0.5);
  EXPECT_DOUBLE_EQ(ContentionOf(std::vector{Vcpu(5, 5), Vcpu(5, 5)}).overlap, 0) << "no time";
}

TEST(ContentionOf, AddsUpWhoHadToWait) {
  const Contention contention = ContentionOf(std::vector{Vcpu(0, 10, 3), Vcpu(0, 10, 5)});
  EXPECT_EQ(contention.contended, 8U);
  EXPECT_EQ(contention.acquisitions, 200U);
  EXPECT_DOUBLE_EQ(contention.contended_share(), 0.04);
  EXPECT_DOUBLE_EQ(Contention{}.contended_share(), 0);
}

TEST(ContentionOfAll, TakesTheLeastOverlap) {
  const Contention all = ContentionOfAll(
      std::vector{Contention{0.9, 3, 10}, Contention{0.2, 1, 10}, Contention{0.5, 0, 1}});
  EXPECT_DOUBLE_EQ(all.overlap, 0.2);
  EXPECT_EQ(all.contended, 4U);
  EXPECT_EQ(all.acquisitions, 21U);
}

// faults B2: 4 vCPUs on one CPU, each done within its first time slice.
TEST(WhyNotContended, NamesWhatWasMissing) {
  const std::string why = WhyNotContended({0, 0, 20'000}, 4);
  EXPECT_THAT(why, HasSubstr("0 of 20000 acquisitions had to wait"));
  EXPECT_THAT(why, HasSubstr("at work in 0.0 % of the time"));
  EXPECT_THAT(WhyNotContended({0.09, 500, 20'000}, 4), HasSubstr("9.0 %"));
  EXPECT_THAT(WhyNotContended({0.99, 3, 20'000}, 4), HasSubstr("3 of 20000"));
  EXPECT_THAT(WhyNotContended({0.1, 4, 20'000}, 4), IsEmpty());
}

}  // namespace
}  // namespace plectl::guests
