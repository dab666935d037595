// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace plectl::cli {

// The words that an option takes, in the order in which help shows them, and what they stand for.
template <typename Value>
using Choices = std::vector<std::pair<std::string, Value>>;

// An option that takes one of these words and nothing else. (CLI11's own CheckedTransformer also
// takes the numbers behind an enum's names, and shows them in the help.)
template <typename Value>
CLI::Option* AddChoice(CLI::App& command, const std::string& name, Value& value,
                       const Choices<Value>& choices, const std::string& description) {
  std::vector<std::string> words;
  std::string shown;
  for (const auto& choice : choices) {
    words.push_back(choice.first);
    shown += (shown.empty() ? "{" : ",") + choice.first;
  }
  CLI::Option* option = command.add_option_function<std::string>(
      name,
      [&value, choices](const std::string& word) {
        const auto found =
            std::find_if(choices.begin(), choices.end(),
                         [&word](const auto& choice) { return choice.first == word; });
        if (found != choices.end()) value = found->second;
      },
      description);
  return option->check(CLI::IsMember(std::move(words)).description(""))->type_name(shown + "}");
}

}  // namespace plectl::cli
