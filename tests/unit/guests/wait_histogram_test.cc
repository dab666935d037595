// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/wait_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_workloads/abi/abi.h"

namespace plectl::guests {
namespace {

using ::testing::ElementsAre;

TEST(WaitBuckets, CoverAllWaitsWithoutAGap) {
  EXPECT_EQ(WaitBucketFirst(0), 0U);
  for (size_t bucket = 0; bucket < PLECTL_WAIT_BUCKETS; ++bucket) {
    const uint64_t first = WaitBucketFirst(bucket);
    const uint64_t last = WaitBucketLast(bucket);
    ASSERT_LE(first, last);
    EXPECT_EQ(WaitBucketOf(first), bucket);
    EXPECT_EQ(WaitBucketOf(last), bucket);
    EXPECT_LE(last - first, first / 16) << "6.25 %";
    if (bucket == 0) continue;
    EXPECT_EQ(WaitBucketLast(bucket - 1) + 1, first);
  }
  EXPECT_EQ(WaitBucketLast(PLECTL_WAIT_BUCKETS - 1), UINT64_MAX);
}

TEST(WaitBuckets, AreExactBelow32) {
  for (uint64_t cycles = 0; cycles < 32; ++cycles) {
    EXPECT_EQ(WaitBucketFirst(WaitBucketOf(cycles)), cycles);
    EXPECT_EQ(WaitBucketLast(WaitBucketOf(cycles)), cycles);
  }
  EXPECT_EQ(WaitBucketLast(WaitBucketOf(32)), 33U);
}

TEST(WaitHistograms, MergeByBucket) {
  const WaitHistogram histograms[] = {{{5, 1}, {32, 2}}, {}, {{3, 4}, {32, 8}}};
  EXPECT_THAT(Merge(histograms), ElementsAre(WaitCount{3, 4}, WaitCount{5, 1}, WaitCount{32, 10}));
  EXPECT_TRUE(Merge({}).empty());
}

TEST(WaitQuantile, CountsFromTheShortestWait) {
  const WaitHistogram histogram = {{3, 50}, {10, 49}, {64, 1}};
  EXPECT_EQ(WaitQuantile(histogram, 0), 3U);
  EXPECT_EQ(WaitQuantile(histogram, 0.5), 3U);
  EXPECT_EQ(WaitQuantile(histogram, 0.501), 10U);
  EXPECT_EQ(WaitQuantile(histogram, 0.99), 10U);
  EXPECT_EQ(WaitQuantile(histogram, 0.999), 67U) << "the end of its bucket";
  EXPECT_EQ(WaitQuantile(histogram, 1), 67U);
  EXPECT_EQ(WaitQuantile({{7, 1}}, 0.5), 7U);
  EXPECT_FALSE(WaitQuantile({}, 0.5));
}

}  // namespace
}  // namespace plectl::guests
