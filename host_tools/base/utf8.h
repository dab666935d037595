// SPDX-License-Identifier: Apache-2.0
// Texts from elsewhere (names of VMs, files of the host) may hold any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plectl {

// The bytes of the UTF-8 character that `text` begins with; 0 when it begins with none (surrogates,
// overlong forms and what is above U+10FFFF are none). `text` must not be empty.
size_t Utf8Length(std::string_view text);

// The same, and 0 also for what must not reach a terminal: control characters (also C1), and what
// turns the direction of writing or cannot be seen at all.
size_t PrintableUtf8Length(std::string_view text);

// `text` on one line, as it is: only what is not printable UTF-8 becomes \xNN, byte by byte.
std::string Printable(std::string_view text);

// The same with line feeds and other control characters left alone: \xNN for what is no UTF-8.
std::string ValidUtf8(std::string_view text);

// At most `bytes_max` bytes of `text`, whole characters only, with "..." where something is left
// out.
std::string Shortened(std::string_view text, size_t bytes_max);

// `text` as one word of a command for bash: as it is, in '...', or in $'...' with escapes where it
// has characters that are not printable.
std::string ShellWord(std::string_view text);

}  // namespace plectl
