// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/tsc_frequency.h"

#include <gtest/gtest.h>

namespace plectl::host {
namespace {

// The kernel's way to the conversion: the largest shift whose rounded multiplier fits 32 bits.
uint64_t RoundTrip(uint64_t khz) {
  unsigned shift = 32;
  const auto multiplier = [khz](unsigned by) { return ((1'000'000ULL << by) + khz / 2) / khz; };
  while (multiplier(shift) > UINT32_MAX) --shift;
  return TscKhzFromConversion(static_cast<uint32_t>(multiplier(shift)), shift);
}

TEST(TscKhzFromConversion, IsExactToTheKilohertz) {
  for (const uint64_t khz :
       {1'000ULL, 199'999ULL, 200'000ULL, 1'000'001ULL, 2'399'998ULL, 3'399'999ULL, 5'700'123ULL}) {
    EXPECT_EQ(RoundTrip(khz), khz);
  }
}

TEST(TscKhz, IsAPlausibleValueOrSaysWhyNot) {
  const Count khz = TscKhz();
  if (khz.has_value()) {
    EXPECT_GT(khz.value(), 10'000U);
    EXPECT_LT(khz.value(), 20'000'000U);
  } else {
    EXPECT_FALSE(khz.missing_because().empty());
  }
}

}  // namespace
}  // namespace plectl::host
