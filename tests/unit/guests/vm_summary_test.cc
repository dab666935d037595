// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vm_summary.h"

#include <gtest/gtest.h>

namespace plectl::guests {
namespace {

VcpuResult Vcpu(uint64_t acquisitions, uint64_t elapsed) {
  VcpuResult vcpu;
  vcpu.acquisitions = acquisitions;
  vcpu.tsc_start = 100;
  vcpu.tsc_end = 100 + elapsed;
  return vcpu;
}

TEST(FairnessJain, IsOneOfEqualRates) {
  EXPECT_DOUBLE_EQ(*FairnessJain(std::vector{Vcpu(10, 50), Vcpu(10, 50)}), 1);
  EXPECT_DOUBLE_EQ(*FairnessJain(std::vector{Vcpu(10, 50), Vcpu(20, 100)}), 1) << "rates count";
  EXPECT_DOUBLE_EQ(*FairnessJain(std::vector{Vcpu(3, 7)}), 1);
  // Whose rounded sums give 1.0000000000000009.
  EXPECT_EQ(*FairnessJain(std::vector(31, Vcpu(3, 7))), 1) << "never above 1";
}

TEST(FairnessJain, FallsToOneNthWhenOneGetsAll) {
  EXPECT_DOUBLE_EQ(*FairnessJain(std::vector{Vcpu(10, 50), Vcpu(0, 50), Vcpu(0, 50), Vcpu(0, 50)}),
                   0.25);
  EXPECT_DOUBLE_EQ(*FairnessJain(std::vector{Vcpu(30, 10), Vcpu(10, 10)}), 0.8);
}

TEST(FairnessJain, NeedsSomethingToShare) {
  EXPECT_FALSE(FairnessJain({}));
  EXPECT_FALSE(FairnessJain(std::vector{Vcpu(0, 50), Vcpu(0, 50)}));
  EXPECT_TRUE(FairnessJain(std::vector{Vcpu(1, 0)})) << "no division by a time of 0";
}

TEST(SummarizeWaits, MergesAllVcpusAndKeepsTheExactMaximum) {
  std::vector<VcpuResult> vcpus = {Vcpu(90, 1), Vcpu(10, 1)};
  vcpus[0].wait_histogram = {{10, 90}};
  vcpus[0].wait_tsc_cycles_max = 10;
  vcpus[1].wait_histogram = {{100, 9}, {1024, 1}};
  vcpus[1].wait_tsc_cycles_max = 1050;
  EXPECT_EQ(SummarizeWaits(vcpus), (WaitSummary{10, 103, 1050, 1050}));
}

TEST(SummarizeWaits, OfThoseThatWaitForNothingIsNothing) {
  EXPECT_FALSE(SummarizeWaits({}));
  EXPECT_FALSE(SummarizeWaits(std::vector{Vcpu(0, 1)}));
}

}  // namespace
}  // namespace plectl::guests
