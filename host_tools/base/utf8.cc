// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace plectl {
namespace {

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

// Of a valid character.
uint32_t CodePoint(std::string_view character) {
  if (character.size() == 1) return ByteAt(character, 0);
  uint32_t code = ByteAt(character, 0) & (0xFFU >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) code = code << 6 | (ByteAt(character, i) & 0x3FU);
  return code;
}

struct CodeRange {
  uint32_t first;
  uint32_t last;
};
// Controls, line separators, marks of direction, what has no width, tags.
constexpr CodeRange kUnprintable[] = {{0x0, 0x1F},      {0x7F, 0x9F},      {0x200B, 0x200F},
                                      {0x2028, 0x202E}, {0x2060, 0x206F},  {0xFEFF, 0xFEFF},
                                      {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return text;
}

// Characters for which `length` is 0 become \xNN, byte by byte.
std::string Escaped(std::string_view text, size_t (*length)(std::string_view)) {
  std::string escaped;
  while (!text.empty()) {
    const size_t bytes = length(text);
    escaped += bytes == 0 ? Hex(text.substr(0, 1)) : std::string(text.substr(0, bytes));
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return escaped;
}

bool IsPlainWord(std::string_view text) {
  constexpr std::string_view kPlain = "._+:@%-";
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kPlain.find(c) != std::string_view::npos;
  });
}

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = PrintableUtf8Length(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace

size_t Utf8Length(std::string_view text) {
  const SequenceRule rule = RuleOf(ByteAt(text, 0));
  if (!rule.valid || text.size() <= rule.following) return 0;
  for (size_t i = 1; i <= rule.following; ++i) {
    const uint8_t min = i == 1 ? rule.second_min : 0x80;
    const uint8_t max = i == 1 ? rule.second_max : 0xBF;
    if (ByteAt(text, i) < min || ByteAt(text, i) > max) return 0;
  }
  return rule.following + 1;
}

size_t PrintableUtf8Length(std::string_view text) {
  const size_t bytes = Utf8Length(text);
  if (bytes == 0) return 0;
  const uint32_t code = CodePoint(text.substr(0, bytes));
  const bool hidden = std::ranges::any_of(kUnprintable, [&](const CodeRange& range) {
    return code >= range.first && code <= range.last;
  });
  return hidden ? 0 : bytes;
}

std::string Printable(std::string_view text) { return Escaped(text, PrintableUtf8Length); }

std::string ValidUtf8(std::string_view text) { return Escaped(text, Utf8Length); }

std::string Shortened(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::string_view head = text.substr(0, bytes_max);
  // The last character may have been cut: at most three bytes of it are there.
  for (size_t back = 1; back <= std::min<size_t>(head.size(), 4); ++back) {
    const std::string_view tail = text.substr(head.size() - back);
    if ((ByteAt(tail, 0) & 0xC0) == 0x80) continue;
    if (Utf8Length(tail) > back) head.remove_suffix(back);
    break;
  }
  return std::string(head) + "...";
}

std::string ShellWord(std::string_view text) {
  if (IsPlainWord(text)) return std::string(text);
  const bool printable = IsPrintable(text);
  std::string word = printable ? "'" : "$'";
  while (!text.empty()) {
    const size_t bytes = PrintableUtf8Length(text);
    const std::string_view character = text.substr(0, std::max<size_t>(bytes, 1));
    if (character == "'") {
      word += printable ? "'\\''" : "\\'";
    } else if (!printable && character == "\\") {
      word += "\\\\";
    } else if (bytes == 0) {
      word += character == "\n" ? "\\n" : Hex(character);
    } else {
      word += character;
    }
    text.remove_prefix(character.size());
  }
  return word + "'";
}

}  // namespace plectl
