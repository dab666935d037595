// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace plectl {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string_view TrimRight(std::string_view text) {
  const size_t last = text.find_last_not_of(kWhiteSpace);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kWhiteSpace);
  return first == std::string_view::npos ? std::string_view() : TrimRight(text.substr(first));
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t end = text.find(separator);
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return fields;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::string_view> LineAfter(std::string_view text, std::string_view start) {
  for (const std::string_view line : Split(text, '\n')) {
    if (line.starts_with(start)) return Trim(line.substr(start.size()));
  }
  return std::nullopt;
}

std::optional<uint64_t> ParseUint(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::string> Suggest(std::string_view word, std::span<const std::string_view> known) {
  const size_t limit = std::clamp<size_t>(word.size() / 3, 1, 3);
  const std::string lower = LowerCase(word);
  const auto distance = [&lower](std::string_view candidate) {
    return EditDistance(lower, LowerCase(candidate));
  };
  const auto best = std::ranges::min_element(known, {}, distance);
  if (best == known.end() || distance(*best) > limit) return std::nullopt;
  return std::string(*best);
}

std::string SuggestionText(std::string_view word, std::span<const std::string_view> known) {
  const std::optional<std::string> suggestion = Suggest(word, known);
  return suggestion ? fmt::format(", did you mean \"{}\"?", *suggestion) : "";
}

std::string ChosenOf(std::string_view choices) {
  const size_t begin = choices.find_first_of("([");
  const size_t end = choices.find_first_of(")]");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::string(choices);
  }
  return std::string(choices.substr(begin + 1, end - begin - 1));
}

}  // namespace plectl
