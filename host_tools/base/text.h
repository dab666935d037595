// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plectl {

std::string_view TrimRight(std::string_view text);
std::string_view Trim(std::string_view text);

// "a,b,,c" -> {"a", "b", "", "c"}; an empty text gives one empty field.
std::vector<std::string_view> Split(std::string_view text, char separator);

// What follows `start` in the first line that begins with it, without white space around it: for
// the files of /proc. "a: 1\nb: 2\n" has "2" after "b:".
std::optional<std::string_view> LineAfter(std::string_view text, std::string_view start);

// A whole unsigned decimal number (no sign, no white space, no suffix), or nothing.
std::optional<uint64_t> ParseUint(std::string_view text);

// The one of `known` that `word` most likely meant (Levenshtein distance at most a third of its
// length, at least 1, at most 3), or nothing.
std::optional<std::string> Suggest(std::string_view word, std::span<const std::string_view> known);

// ", did you mean \"x\"?" or "" - to append to an error about an unknown word.
std::string SuggestionText(std::string_view word, std::span<const std::string_view> known);

// The chosen one of "none voluntary (full) lazy" or "up smp [concur] max", as the kernel's files
// have it; all of `choices` where none is marked.
std::string ChosenOf(std::string_view choices);

}  // namespace plectl
