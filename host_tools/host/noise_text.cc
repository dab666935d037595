// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "host_tools/base/text.h"

namespace plectl::host {

std::string_view NextLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view NextWord(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

void CountSum::Add(std::string_view word) {
  const std::optional<uint64_t> value = ParseUint(word);
  if (value) {
    Add(*value);
  } else {
    spoilt_ = true;
  }
}

void CountSum::Add(uint64_t value) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(sum_.value_or(0), value, &sum)) spoilt_ = true;
  sum_ = sum;
}

void CountSum::Add(const CountSum& other) {
  if (const std::optional<uint64_t> value = other.value()) {
    Add(*value);
  } else {
    spoilt_ = true;
  }
}

Count CountSum::Get(std::string_view what) const {
  if (spoilt_) return Count::Missing(fmt::format("no number in {}", what));
  if (!sum_) return Count::Missing(fmt::format("there is no {}", what));
  return *sum_;
}

}  // namespace plectl::host
