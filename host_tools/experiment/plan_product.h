// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace plectl::experiment {

// The product of `factors`, or nothing when it is above `limit`.
std::optional<uint64_t> BoundedProduct(std::span<const uint64_t> factors, uint64_t limit);

// Every combination of one index per axis, the first axis slowest. One empty combination when there
// are no axes; none when an axis has size 0. The caller has bounded the product.
std::vector<std::vector<size_t>> Combinations(std::span<const uint64_t> axis_sizes);

}  // namespace plectl::experiment
