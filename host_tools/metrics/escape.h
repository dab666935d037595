// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace plectl::metrics {

// Whether `text` is UTF-8 throughout: no surrogates, nothing overlong, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// `text` with U+FFFD in the place of each byte that is not part of UTF-8.
std::string ToUtf8(std::string_view text);

// UTF-8 with \\ and \n for a backslash and a line feed: a help text of the text format 0.0.4.
std::string EscapeHelp(std::string_view text);

// The same with \" too: label values, and help texts of OpenMetrics.
std::string EscapeValue(std::string_view text);

}  // namespace plectl::metrics
