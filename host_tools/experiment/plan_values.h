// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/yaml_tree.h"

namespace plectl::experiment {

// How many trials a plan may make, and values a range may have.
inline constexpr uint64_t kTrialsMax = 100'000;

// A value and where the plan gives it.
template <class T>
struct Placed {
  T value;
  YamlPlace place;
};

// Both ends belong to it.
struct UintRange {
  uint64_t min = 0;
  uint64_t max = UINT64_MAX;
};

// Readers of one value of a plan. `what` is its key, for the message; each error has its place.

// A map with no other keys than `known`.
Status CheckMap(const YamlNode& node, std::string_view what,
                std::span<const std::string_view> known);
// A scalar that is not empty.
Result<std::string> ReadWord(const YamlNode& node, std::string_view what);
// One of `known`.
Result<std::string> ReadOneOf(const YamlNode& node, std::string_view what,
                              std::span<const std::string_view> known);
// A plain decimal number in `range`: no sign, fraction, exponent, quotes or leading zeros.
Result<uint64_t> ReadUint(const YamlNode& node, std::string_view what, UintRange range);

// Readers of an axis: one or more different values, in plan order.

// A number, a list of numbers, `{log2: [a, b]}` (the powers of two from a to b) or
// `{linear: [a, b, step]}` (a, a + step, ... up to b); at most kTrialsMax values.
Result<std::vector<Placed<uint64_t>>> ReadUintAxis(const YamlNode& node, std::string_view what,
                                                   UintRange range);
// A word of `known` or a list of them.
Result<std::vector<Placed<std::string>>> ReadWordAxis(const YamlNode& node, std::string_view what,
                                                      std::span<const std::string_view> known);
// The nodes of an axis that is one value or a list of 1..4096 values.
Result<std::vector<const YamlNode*>> AxisItems(const YamlNode& node, std::string_view what);

}  // namespace plectl::experiment
