// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace plectl::guests {

// Waits in TSC cycles by their length, log-linear as in guest_workloads/abi/abi.h: exact below 32
// cycles, above a bucket is at most 1/16 (6.25 %) of its lower bound wide.

// How often a wait was in the bucket that begins at `lower_bound`.
struct WaitCount {
  uint64_t lower_bound = 0;
  uint64_t count = 0;
  friend bool operator==(const WaitCount&, const WaitCount&) = default;
};
// Only buckets that hold something, from short waits to long ones.
using WaitHistogram = std::vector<WaitCount>;

// The bucket of a wait, and the first and last wait of a bucket (below PLECTL_WAIT_BUCKETS).
size_t WaitBucketOf(uint64_t cycles);
uint64_t WaitBucketFirst(size_t bucket);
uint64_t WaitBucketLast(size_t bucket);

// The sum of several. Counts must be far enough from overflow.
WaitHistogram Merge(std::span<const WaitHistogram> histograms);

// The least wait that at least the share `quantile` (0 to 1) of all waits do not exceed, rounded up
// to the end of its bucket: never too low, at most 6.25 % too high. Nothing when nothing waited.
std::optional<uint64_t> WaitQuantile(const WaitHistogram& histogram, double quantile);

}  // namespace plectl::guests
