// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host_tools/base/count.h"

namespace plectl::host {

// Takes the next line off `text`, without its newline. "" at the end; ask text.empty().
std::string_view NextLine(std::string_view& text);

// Takes the next word (between blanks) off `line`; "" when there is none left.
std::string_view NextWord(std::string_view& line);

// Adds up the numbers of a file from outside. Nothing added is no 0 but a missing count.
class CountSum {
 public:
  // A word that is no number spoils the sum, as does an overflow.
  void Add(std::string_view word);
  void Add(uint64_t value);
  // Spoilt when the other sum is, or has nothing in it.
  void Add(const CountSum& other);
  // `what` names the numbers in the reason: "line pgscan_kswapd of /proc/vmstat".
  [[nodiscard]] Count Get(std::string_view what) const;
  [[nodiscard]] std::optional<uint64_t> value() const { return spoilt_ ? std::nullopt : sum_; }

 private:
  std::optional<uint64_t> sum_;
  bool spoilt_ = false;
};

}  // namespace plectl::host
