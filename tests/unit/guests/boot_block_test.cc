// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/boot_block.h"

#include <gtest/gtest.h>

namespace plectl::guests {
namespace {

uint32_t FlagsFor(InterruptsOff interrupts_off) {
  GuestRequest request;
  request.workload.interrupts_off = interrupts_off;
  return BootBlockOf(request, 0, 0).flags;
}

TEST(BootBlock, CarriesEveryFieldOfTheRequest) {
  GuestRequest request;
  request.workload.vcpus = 3;
  request.workload.iterations = 4;
  request.workload.hold_tsc_cycles = 5;
  request.workload.think_tsc_cycles = 6;
  request.workload.body_loops = 7;
  request.workload.duration_tsc_cycles = 8;
  request.workload.random_seed = 9;
  request.workload.relax_repeat = 10;
  request.relax_tsc_cycles = 140;
  const plectl_boot_block boot = BootBlockOf(request, 2, 6);
  EXPECT_EQ(boot.magic, static_cast<uint32_t>(PLECTL_BOOT_MAGIC));
  EXPECT_EQ(boot.version, 4U);
  EXPECT_EQ(boot.size, 128U);
  EXPECT_EQ(boot.payload, 2U);
  EXPECT_EQ(boot.vcpus, 3U);
  EXPECT_EQ(boot.iterations, 4U);
  EXPECT_EQ(boot.hold_tsc_cycles, 5U);
  EXPECT_EQ(boot.think_tsc_cycles, 6U);
  EXPECT_EQ(boot.body_loops, 7U);
  EXPECT_EQ(boot.duration_tsc_cycles, 8U);
  EXPECT_EQ(boot.random_seed, 9U);
  EXPECT_EQ(boot.relax_repeat, 10U);
  EXPECT_EQ(boot.first_vcpu, 6U);
  EXPECT_EQ(boot.relax_tsc_cycles, 140U);
}

TEST(BootBlock, FlagsNameTheExponentialTimes) {
  GuestRequest request;
  request.workload.hold_distribution = Distribution::kExponential;
  EXPECT_EQ(BootBlockOf(request, 0, 0).flags, PLECTL_BOOT_HOLD_EXPONENTIAL);
  request.workload.think_distribution = Distribution::kExponential;
  request.workload.interrupts_off = InterruptsOff::kLocking;
  EXPECT_EQ(BootBlockOf(request, 0, 0).flags, PLECTL_BOOT_HOLD_EXPONENTIAL |
                                                  PLECTL_BOOT_THINK_EXPONENTIAL |
                                                  PLECTL_BOOT_INTERRUPTS_OFF_LOCKING);
}

TEST(BootBlock, FlagsSayWhenInterruptsAreOff) {
  EXPECT_EQ(FlagsFor(InterruptsOff::kNever), 0U);
  EXPECT_EQ(FlagsFor(InterruptsOff::kHolding), PLECTL_BOOT_INTERRUPTS_OFF_HOLDING);
  EXPECT_EQ(FlagsFor(InterruptsOff::kLocking), PLECTL_BOOT_INTERRUPTS_OFF_LOCKING);
}

TEST(BootBlock, NothingIsPaddedUnlessAsked) {
  EXPECT_EQ(BootBlockOf(GuestRequest{}, 0, 0).relax_tsc_cycles, 0U);
}

}  // namespace
}  // namespace plectl::guests
