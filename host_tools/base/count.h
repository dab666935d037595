// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace plectl {

// A counter's reading: a value, or the reason why there is none. Zero is a measurement; what could
// not be measured is never zero.
class Count {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a value is a count
  Count(uint64_t value) : value_(value) {}
  static Count Missing(std::string because) { return Count(std::move(because)); }

  [[nodiscard]] bool has_value() const { return value_.has_value(); }
  // Only when has_value().
  [[nodiscard]] uint64_t value() const { return value_.value(); }
  // Empty when has_value().
  [[nodiscard]] const std::string& missing_because() const { return missing_because_; }

  friend bool operator==(const Count&, const Count&) = default;

 private:
  explicit Count(std::string because) : missing_because_(std::move(because)) {}

  std::optional<uint64_t> value_;
  std::string missing_because_;
};

}  // namespace plectl
