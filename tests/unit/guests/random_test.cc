// SPDX-License-Identifier: Apache-2.0
#include "guest_workloads/rt/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace plectl::guests {
namespace {

constexpr uint64_t kMean = 1'000'000;
constexpr size_t kDraws = 200'000;

std::vector<uint64_t> Draw(uint64_t seed, uint32_t vcpu, size_t draws, uint64_t mean) {
  random_source source = random_start(seed, vcpu);
  std::vector<uint64_t> values;
  for (size_t i = 0; i < draws; ++i) values.push_back(random_exponential(&source, mean));
  return values;
}

// The standard error of the mean of n exponential draws is mean / sqrt(n): 0.22 % here.
TEST(RandomExponential, HasItsMeanAndDeviation) {
  double sum = 0;
  double sum_of_squares = 0;
  for (const uint64_t value : Draw(1, 0, kDraws, kMean)) {
    const double share = static_cast<double>(value) / static_cast<double>(kMean);
    sum += share;
    sum_of_squares += share * share;
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(mean, 1, 0.01);
  EXPECT_NEAR(sum_of_squares / kDraws - mean * mean, 1, 0.03);
}

TEST(RandomExponential, HasTheQuantilesOfTheExponentialDistribution) {
  std::vector<uint64_t> values = Draw(7, 3, kDraws, kMean);
  std::ranges::sort(values);
  for (const double share : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(share * kDraws);
    const double expected = -std::log1p(-share) * static_cast<double>(kMean);
    // Of a quantile: sqrt(p / (1 - p) / n) means; five of them.
    const double error = 5 * std::sqrt(share / (1 - share) / kDraws) * kMean + 20;
    EXPECT_NEAR(static_cast<double>(values[rank]), expected, error) << share;
  }
}

TEST(RandomExponential, RoundsAndNeverOverflows) {
  double sum = 0;
  for (const uint64_t value : Draw(1, 1, kDraws, 3)) sum += static_cast<double>(value);
  EXPECT_NEAR(sum / kDraws, 3, 0.05);
  for (const uint64_t value : Draw(1, 1, kDraws, 1'000'000'000'000)) {
    EXPECT_LE(value, 45'000'000'000'000U);
  }
  for (const uint64_t value : Draw(1, 1, 100, 0)) EXPECT_EQ(value, 0U);
}

TEST(RandomStart, GivesEachSeedAndVcpuASequenceOfItsOwn) {
  EXPECT_EQ(Draw(5, 2, 10, kMean), Draw(5, 2, 10, kMean));
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (uint32_t vcpu = 0; vcpu < 64; ++vcpu) {
      random_source source = random_start(seed, vcpu);
      first.insert(random_next(&source));
    }
  }
  EXPECT_EQ(first.size(), 50U * 64U);
}

// Fixed for ever: a plan's sequences must not change with plectl.
TEST(RandomStart, IsFixed) {
  random_source source = random_start(1, 0);
  EXPECT_EQ(random_next(&source), 4720248854425330031U);
  EXPECT_EQ(random_exponential(&source, kMean), 2426743U);
}

}  // namespace
}  // namespace plectl::guests
