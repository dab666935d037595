// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/usage_error.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/base/utf8.h"

namespace plectl::cli {
namespace {

// Words of other programs for what a subcommand here does.
constexpr std::pair<std::string_view, std::string_view> kSynonyms[] = {
    {"get", "show"},      {"list", "show"},      {"ls", "show"},         {"print", "show"},
    {"status", "show"},   {"reset", "restore"},  {"undo", "restore"},    {"run", "sweep"},
    {"bench", "sweep"},   {"check", "doctor"},   {"diagnose", "doctor"}, {"watch", "monitor"},
    {"serve", "monitor"}, {"summary", "report"}, {"man", "docs"},
};

std::string Upper(std::string text) {
  for (char& letter : text)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

bool IsEveryApp(const CLI::App* /*app*/) { return true; }

// The subcommands that help shows.
std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands(IsEveryApp)) {
    if (!child->get_group().empty()) names.push_back(child->get_name());
  }
  return names;
}

// "plectl params set".
std::string PathOf(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : PathOf(*app.get_parent()) + " " + app.get_name();
}

std::string HelpStep(const CLI::App& app) { return PathOf(app) + " --help"; }

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  return SuggestionText(word, views);
}

Error UnknownCommand(const CLI::App& app, std::string_view word) {
  const std::vector<std::string> commands = CommandsOf(app);
  std::string suggestion = DidYouMean(word, commands);
  for (const auto& [synonym, command] : kSynonyms) {
    const bool is_here = std::ranges::count(commands, command) > 0;
    if (word == synonym && is_here) suggestion = fmt::format(", did you mean \"{}\"?", command);
  }
  return {ErrorKind::kBadInput,
          fmt::format("{} has no command \"{}\"{}", PathOf(app), Printable(word), suggestion),
          HelpStep(app)};
}

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options(nullptr)) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// "-o" most likely means an option that begins with it.
std::string OptionSuggestion(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 2) {
    return DidYouMean(word.starts_with("--") ? std::string(word) : fmt::format("-{}", word), known);
  }
  std::vector<std::string> fitting;
  for (const std::string& name : known) {
    if (name[2] == word[1]) fitting.push_back(name);
  }
  if (fitting.empty()) return {};
  return fmt::format(", did you mean \"{}\"?", fmt::join(fitting, "\" or \""));
}

Error UnknownOption(const CLI::App& app, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  return {ErrorKind::kBadInput,
          fmt::format("{} has no option \"{}\"{}", PathOf(app), Printable(name),
                      OptionSuggestion(name, OptionsOf(app))),
          HelpStep(app)};
}

// The subcommand that the command line had come to.
const CLI::App& Deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : Deepest(*parsed.back());
}

// What the words that nobody took say, when that explains the error.
std::optional<Error> AboutRest(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining();
  const auto option = std::ranges::find_if(rest, [](const std::string& word) {
    return word.size() > 1 && word.front() == '-' && word != "--";
  });
  const bool wants_command = app.get_require_subcommand_min() > 0;
  if (wants_command && rest.empty() && app.get_subcommands().empty()) {
    return Error{
        ErrorKind::kBadInput,
        fmt::format("A subcommand is required: one of {}", fmt::join(CommandsOf(app), ", ")),
        HelpStep(app)};
  }
  if (wants_command && !rest.empty() && rest.front().front() != '-') {
    return UnknownCommand(app, rest.front());
  }
  if (option != rest.end()) return UnknownOption(app, *option);
  return std::nullopt;
}

// "plectl report runs/first", when the command's help ends with such an example.
std::string ExampleOf(const CLI::App& app) {
  const std::string footer = app.get_footer();
  const size_t start = footer.find(fmt::format("{} ", PathOf(app)));
  if (start == std::string::npos) return {};
  return footer.substr(start, footer.find('\n', start) - start);
}

// An argument without which the command can do nothing.
std::optional<Error> AboutArguments(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options(nullptr)) {
    if (!option->get_required() || !option->get_positional() || option->count() > 0) continue;
    std::string name = option->get_type_name();
    if (name.find('=') == std::string::npos) name = Upper(option->get_name(true));
    const std::string example = ExampleOf(app);
    return Error{ErrorKind::kBadInput,
                 fmt::format("{} needs {}: {}", PathOf(app), name, option->get_description()),
                 example.empty() ? HelpStep(app) : fmt::format("for example: {}", example)};
  }
  return std::nullopt;
}

}  // namespace

Error UsageError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& here = Deepest(app);
  const int code = error.get_exit_code();
  // The name of an ExtrasError is the subcommand's.
  if (code == static_cast<int>(CLI::ExitCodes::RequiredError) ||
      code == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    for (const CLI::App* at = &here; at != nullptr; at = at->get_parent()) {
      if (auto about = AboutRest(*at)) return *std::move(about);
    }
  }
  if (code == static_cast<int>(CLI::ExitCodes::RequiredError)) {
    if (auto about = AboutArguments(here)) return *std::move(about);
  }
  // A hidden option has no name there.
  std::string text = Printable(error.what());
  if (text.starts_with(": ")) text.erase(0, 2);
  return {ErrorKind::kBadInput, text, HelpStep(here)};
}

Result<std::vector<std::string>> HelpArguments(const CLI::App& app,
                                               const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    const auto children = at->get_subcommands(IsEveryApp);
    const auto child = std::ranges::find_if(
        children, [&](const CLI::App* candidate) { return candidate->get_name() == word; });
    if (child == children.end()) return Fail(UnknownCommand(*at, word));
    at = *child;
  }
  std::vector<std::string> arguments = words;
  arguments.emplace_back("--help");
  return arguments;
}

}  // namespace plectl::cli
