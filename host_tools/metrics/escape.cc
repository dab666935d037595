// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/escape.h"

#include <cstddef>

#include "host_tools/base/utf8.h"

namespace plectl::metrics {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

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
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string ToUtf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    valid += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string EscapeHelp(std::string_view text) { return Escape(text, false); }

std::string EscapeValue(std::string_view text) { return Escape(text, true); }

}  // namespace plectl::metrics
