// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/wait_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "guest_workloads/abi/abi.h"

namespace plectl::guests {

size_t WaitBucketOf(uint64_t cycles) {
  const int log2 = 63 - std::countl_zero(cycles | PLECTL_WAIT_SUB_BUCKETS);
  const int shift = log2 - PLECTL_WAIT_SUB_BITS;
  return static_cast<size_t>(shift) * PLECTL_WAIT_SUB_BUCKETS + (cycles >> shift);
}

uint64_t WaitBucketFirst(size_t bucket) {
  if (bucket < PLECTL_WAIT_SUB_BUCKETS) return bucket;
  const size_t shift = bucket / PLECTL_WAIT_SUB_BUCKETS - 1;
  return (bucket - shift * PLECTL_WAIT_SUB_BUCKETS) << shift;
}

uint64_t WaitBucketLast(size_t bucket) {
  return bucket + 1 < PLECTL_WAIT_BUCKETS ? WaitBucketFirst(bucket + 1) - 1 : UINT64_MAX;
}

WaitHistogram Merge(std::span<const WaitHistogram> histograms) {
  std::map<uint64_t, uint64_t> counts;
  for (const WaitHistogram& histogram : histograms) {
    for (const WaitCount& item : histogram) counts[item.lower_bound] += item.count;
  }
  WaitHistogram merged;
  for (const auto& [lower_bound, count] : counts) merged.push_back({lower_bound, count});
  return merged;
}

std::optional<uint64_t> WaitQuantile(const WaitHistogram& histogram, double quantile) {
  uint64_t waits = 0;
  for (const WaitCount& item : histogram) waits += item.count;
  if (waits == 0) return std::nullopt;
  const double rank = std::ceil(quantile * static_cast<double>(waits));
  const auto wanted = std::clamp(static_cast<uint64_t>(rank), uint64_t{1}, waits);
  uint64_t seen = 0;
  for (const WaitCount& item : histogram) {
    seen += item.count;
    if (seen >= wanted) return WaitBucketLast(WaitBucketOf(item.lower_bound));
  }
  return std::nullopt;
}

}  // namespace plectl::guests
