// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "host_tools/base/result.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace plectl::cli {

// What is wrong with a command line that CLI11 has refused: the word that nobody knows, with a
// suggestion, before an option that is missing. The next step is the help of that subcommand.
Error UsageError(const CLI::App& app, const CLI::ParseError& error);

// "plectl help params set" is "plectl params set --help": the arguments after the program's name.
// An error when there is no such command.
Result<std::vector<std::string>> HelpArguments(const CLI::App& app,
                                               const std::vector<std::string>& words);

}  // namespace plectl::cli
