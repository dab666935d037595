// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "host_tools/base/text.h"

namespace plectl::experiment {
namespace {

constexpr size_t kListMax = 4096;  // AddNew() compares each value with all before it

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull:
      return "nothing";
    case YamlKind::kList:
      return fmt::format("a list of {}", node.values.size());
    case YamlKind::kMap:
      return "a map";
    case YamlKind::kScalar:
      break;
  }
  return fmt::format("\"{:.60}\"", node.text);
}

// The number that `text` writes in the one way that plans allow.
std::optional<uint64_t> CanonicalUint(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return ParseUint(text);
}

// `count` numbers inside the range, as the argument list of `{log2: ...}` or `{linear: ...}`.
Result<std::vector<uint64_t>> ReadArguments(const YamlNode& node, std::string_view form,
                                            size_t count, UintRange range) {
  if (node.kind != YamlKind::kList || node.values.size() != count) {
    return FailAt(node.place, fmt::format("expected {}, got {}", form, Describe(node)));
  }
  std::vector<uint64_t> arguments;
  for (const YamlNode& item : node.values) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t value, ReadUint(item, form, range));
    arguments.push_back(value);
  }
  return arguments;
}

Result<std::vector<Placed<uint64_t>>> ReadLog2(const YamlNode& node, UintRange range) {
  PLECTL_ASSIGN_OR_RETURN(const auto ends, ReadArguments(node, "log2: [from, to]", 2, range));
  for (size_t i = 0; i < ends.size(); ++i) {
    if (!std::has_single_bit(ends[i])) {
      return FailAt(node.values[i].place, fmt::format("{} is not a power of two", ends[i]));
    }
  }
  if (ends[0] > ends[1]) {
    return FailAt(node.place,
                  fmt::format("log2 goes upwards, not from {} to {}", ends[0], ends[1]));
  }
  std::vector<Placed<uint64_t>> values;
  for (int bit = std::countr_zero(ends[0]); bit <= std::countr_zero(ends[1]); ++bit) {
    values.push_back({uint64_t{1} << bit, node.place});
  }
  return values;
}

Result<std::vector<Placed<uint64_t>>> ReadLinear(const YamlNode& node, UintRange range) {
  constexpr std::string_view kForm = "linear: [from, to, step]";
  // The step is no value of the axis: it may lie outside its range, but must go up.
  PLECTL_ASSIGN_OR_RETURN(const auto numbers, ReadArguments(node, kForm, 3, UintRange{}));
  for (size_t end : {size_t{0}, size_t{1}}) {
    PLECTL_RETURN_IF_ERROR(ReadUint(node.values[end], kForm, range));
  }
  const uint64_t from = numbers[0];
  const uint64_t to = numbers[1];
  const uint64_t step = numbers[2];
  if (step == 0) return FailAt(node.values[2].place, "the step of linear must be above 0");
  if (from > to) {
    return FailAt(node.place, fmt::format("linear goes upwards, not from {} to {}", from, to));
  }
  if ((to - from) / step >= kTrialsMax) {
    return FailAt(node.place, fmt::format("more than {} values", kTrialsMax));
  }
  std::vector<Placed<uint64_t>> values;
  for (uint64_t i = 0; i <= (to - from) / step; ++i)
    values.push_back({from + i * step, node.place});
  return values;
}

Result<std::vector<Placed<uint64_t>>> ReadRange(const YamlNode& node, std::string_view what,
                                                UintRange range) {
  constexpr std::string_view kKnown[] = {"log2", "linear"};
  PLECTL_RETURN_IF_ERROR(CheckMap(node, what, kKnown));
  if (node.keys.size() != 1) {
    return FailAt(
        node.place,
        fmt::format("{}: a range is {{log2: [from, to]}} or {{linear: [from, to, step]}}", what));
  }
  const YamlNode& arguments = node.values.front();
  return node.keys.front().text == "log2" ? ReadLog2(arguments, range)
                                          : ReadLinear(arguments, range);
}

// Refuses a value that the axis has already.
template <class T>
Status AddNew(std::vector<Placed<T>>& values, T value, const YamlPlace& place,
              std::string_view what) {
  if (std::ranges::find(values, value, &Placed<T>::value) != values.end()) {
    return FailAt(place, fmt::format("{} has the value {} twice", what, value));
  }
  values.push_back({std::move(value), place});
  return OkStatus();
}

}  // namespace

Status CheckMap(const YamlNode& node, std::string_view what,
                std::span<const std::string_view> known) {
  if (node.kind != YamlKind::kMap) {
    return FailAt(node.place, fmt::format("{}: expected a map, got {}", what, Describe(node)));
  }
  for (const YamlNode& key : node.keys) {
    if (std::ranges::find(known, key.text) != known.end()) continue;
    return FailAt(key.place,
                  fmt::format("{}: unknown key \"{:.60}\"{}; known are {}", what, key.text,
                              SuggestionText(key.text, known), fmt::join(known, ", ")));
  }
  return OkStatus();
}

Result<std::string> ReadWord(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kScalar || node.text.empty()) {
    return FailAt(node.place, fmt::format("{}: expected a word, got {}", what, Describe(node)));
  }
  return node.text;
}

Result<std::string> ReadOneOf(const YamlNode& node, std::string_view what,
                              std::span<const std::string_view> known) {
  PLECTL_ASSIGN_OR_RETURN(std::string word, ReadWord(node, what));
  if (std::ranges::find(known, word) != known.end()) return word;
  return FailAt(node.place, fmt::format("{}: unknown value \"{:.60}\"{}; known are {}", what, word,
                                        SuggestionText(word, known), fmt::join(known, ", ")));
}

Result<uint64_t> ReadUint(const YamlNode& node, std::string_view what, UintRange range) {
  const bool plain = node.kind == YamlKind::kScalar && !node.quoted;
  const std::optional<uint64_t> value = plain ? CanonicalUint(node.text) : std::nullopt;
  if (value && *value >= range.min && *value <= range.max) return *value;
  return FailAt(node.place,
                fmt::format("{}: expected a whole number from {} to {}, got {}{}", what, range.min,
                            range.max, Describe(node), node.quoted ? " in quotes" : ""));
}

Result<std::vector<const YamlNode*>> AxisItems(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kList) return std::vector<const YamlNode*>{&node};
  if (node.values.empty()) return FailAt(node.place, fmt::format("{}: the list is empty", what));
  if (node.values.size() > kListMax) {
    return FailAt(node.place, fmt::format("{}: the list has more than {} values", what, kListMax));
  }
  std::vector<const YamlNode*> items;
  for (const YamlNode& item : node.values) items.push_back(&item);
  return items;
}

Result<std::vector<Placed<uint64_t>>> ReadUintAxis(const YamlNode& node, std::string_view what,
                                                   UintRange range) {
  if (node.kind == YamlKind::kMap) return ReadRange(node, what, range);
  PLECTL_ASSIGN_OR_RETURN(const auto items, AxisItems(node, what));
  std::vector<Placed<uint64_t>> values;
  for (const YamlNode* item : items) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t value, ReadUint(*item, what, range));
    PLECTL_RETURN_IF_ERROR(AddNew(values, value, item->place, what));
  }
  return values;
}

Result<std::vector<Placed<std::string>>> ReadWordAxis(const YamlNode& node, std::string_view what,
                                                      std::span<const std::string_view> known) {
  PLECTL_ASSIGN_OR_RETURN(const auto items, AxisItems(node, what));
  std::vector<Placed<std::string>> values;
  for (const YamlNode* item : items) {
    PLECTL_ASSIGN_OR_RETURN(std::string word, ReadOneOf(*item, what, known));
    PLECTL_RETURN_IF_ERROR(AddNew(values, std::move(word), item->place, what));
  }
  return values;
}

}  // namespace plectl::experiment
