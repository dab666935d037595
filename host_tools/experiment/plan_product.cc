// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan_product.h"

namespace plectl::experiment {

std::optional<uint64_t> BoundedProduct(std::span<const uint64_t> factors, uint64_t limit) {
  uint64_t product = 1;
  for (const uint64_t factor : factors) {
    if (factor == 0) return 0;
    if (product > limit / factor) return std::nullopt;
    product *= factor;
  }
  return product;
}

std::vector<std::vector<size_t>> Combinations(std::span<const uint64_t> axis_sizes) {
  std::vector<std::vector<size_t>> combinations = {{}};
  for (const uint64_t size : axis_sizes) {
    std::vector<std::vector<size_t>> longer;
    longer.reserve(combinations.size() * size);
    for (const std::vector<size_t>& combination : combinations) {
      for (size_t index = 0; index < size; ++index) {
        longer.push_back(combination);
        longer.back().push_back(index);
      }
    }
    combinations = std::move(longer);
  }
  return combinations;
}

}  // namespace plectl::experiment
