// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/escape.h"

#include <cstddef>
#include <cstdint>

namespace plectl::metrics {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// By the first byte: how many follow, and between what the second one must be (Unicode, table 3-7).
struct SequenceRule {
  size_t following = 0;
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
  bool valid = true;
};

SequenceRule RuleOf(uint8_t first) {
  if (first < 0x80) return {};
  if (first >= 0xC2 && first <= 0xDF) return {1};
  if (first == 0xE0) return {2, 0xA0};
  if (first == 0xED) return {2, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return {2};
  if (first == 0xF0) return {3, 0x90};
  if (first >= 0xF1 && first <= 0xF3) return {3};
  if (first == 0xF4) return {3, 0x80, 0x8F};
  return {.valid = false};
}

uint8_t ByteAt(std::string_view text, size_t index) { return static_cast<uint8_t>(text[index]); }

// The length of the character that `text` begins with; 0 when it is none.
size_t CharacterLength(std::string_view text) {
  const SequenceRule rule = RuleOf(ByteAt(text, 0));
  if (!rule.valid || text.size() <= rule.following) return 0;
  for (size_t i = 1; i <= rule.following; ++i) {
    const uint8_t min = i == 1 ? rule.second_min : 0x80;
    const uint8_t max = i == 1 ? rule.second_max : 0xBF;
    if (ByteAt(text, i) < min || ByteAt(text, i) > max) return 0;
  }
  return rule.following + 1;
}

std::string Escape(std::string_view text, bool quotes) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) escaped += '\\';
    escaped += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
  }
  return IsUtf8(escaped) ? escaped : ToUtf8(escaped);
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string ToUtf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    valid += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string EscapeHelp(std::string_view text) { return Escape(text, false); }

std::string EscapeValue(std::string_view text) { return Escape(text, true); }

}  // namespace plectl::metrics
