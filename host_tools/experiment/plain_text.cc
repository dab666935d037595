// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace plectl::experiment {
namespace {

bool IsControl(uint8_t byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

// How long the sequence is that `lead` begins (RFC 3629 section 4), or 0. 0xC0, 0xC1 would be
// overlong, 0xF5 and above lie beyond U+10FFFF.
size_t SequenceLength(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// The second byte also rules out overlong forms, surrogates and what lies beyond U+10FFFF.
bool IsSecondByte(uint8_t lead, uint8_t second) {
  const uint8_t low = lead == 0xe0 ? 0xa0 : (lead == 0xf0 ? 0x90 : 0x80);
  const uint8_t high = lead == 0xed ? 0x9f : (lead == 0xf4 ? 0x8f : 0xbf);
  return second >= low && second <= high;
}

// The length of the well-formed UTF-8 sequence at the start of `text`, or 0.
size_t WellFormedLength(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const size_t length = SequenceLength(byte(0));
  if (length == 0 || length > text.size()) return 0;
  if (length >= 2 && !IsSecondByte(byte(0), byte(1))) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

TextFlaw FlawAt(std::string_view text, size_t offset, bool is_control) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.line = static_cast<int>(std::ranges::count(before, '\n')) + 1,
          .column = static_cast<int>(offset - line_start) + 1,
          .what = fmt::format("the byte 0x{:02x} is {}", static_cast<uint8_t>(text[offset]),
                              is_control ? "a control character" : "not UTF-8"),
          .is_control = is_control};
}

}  // namespace

std::optional<TextFlaw> FindTextFlaw(std::string_view text) {
  for (size_t offset = 0; offset < text.size();) {
    if (IsControl(static_cast<uint8_t>(text[offset]))) {
      return FlawAt(text, offset, true);
    }
    const size_t length = WellFormedLength(text.substr(offset));
    if (length == 0) return FlawAt(text, offset, false);
    offset += length;
  }
  return std::nullopt;
}

bool LooksLikeUtf16(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return true;
  // Without a byte order mark: an ASCII character, as plans and run logs begin.
  return text.size() >= 4 && (text[0] == '\0') != (text[1] == '\0') &&
         (text[0] == '\0') == (text[2] == '\0') && (text[1] == '\0') == (text[3] == '\0');
}

}  // namespace plectl::experiment
