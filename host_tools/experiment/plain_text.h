// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plectl::experiment {

// What is wrong with a text and where; line and column count from 1, columns in bytes.
struct TextFlaw {
  int line = 1;
  int column = 1;
  std::string what;
  bool is_control = false;  // a control character, as of a file that is no text
};

// The first byte that has no place in a text file: a control character other than tab, line feed
// and carriage return, or a byte that is not UTF-8 (RFC 3629: no overlong form, no surrogate,
// nothing above U+10FFFF). Nothing when the text is fine.
std::optional<TextFlaw> FindTextFlaw(std::string_view text);

// Whether it begins as text in UTF-16 does, as some editors and shells of Windows write it.
bool LooksLikeUtf16(std::string_view text);
inline constexpr std::string_view kFromUtf16 =
    "save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD >NEW";

}  // namespace plectl::experiment
