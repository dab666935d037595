// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/modprobe_config.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <system_error>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr std::array<std::string_view, 5> kFolders = {"/etc/modprobe.d", "/run/modprobe.d",
                                                      "/usr/local/lib/modprobe.d",
                                                      "/usr/lib/modprobe.d", "/lib/modprobe.d"};
constexpr uintmax_t kFileBytesMax = 1 << 20;
constexpr std::string_view kSpace = " \t\r\n\v\f";

// A line with its continuation lines.
struct JoinedLine {
  std::string text;
  int first_line = 1;
  std::vector<size_t> breaks;  // offsets in text where a further line begins

  [[nodiscard]] int LineAt(size_t offset) const {
    const auto passed = std::ranges::count_if(breaks, [&](size_t at) { return at <= offset; });
    return first_line + static_cast<int>(passed);
  }
};

struct Word {
  std::string_view text;
  size_t offset = 0;
};

// Takes a line off the front of `rest`. A backslash at the end of a line continues it, in comments
// too; before any other character it only disappears (libkmod, getline_wrapped()).
JoinedLine TakeLine(std::string_view& rest, int& line) {
  JoinedLine joined;
  joined.first_line = line;
  size_t i = 0;
  for (; i < rest.size() && rest[i] != '\n'; ++i) {
    if (rest[i] == '\\' && ++i == rest.size()) break;
    if (rest[i] == '\n') {
      joined.breaks.push_back(joined.text.size());
      ++line;
      continue;
    }
    joined.text += rest[i];
  }
  ++line;
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return joined;
}

// Words as the kernel's next_arg() makes them: white space inside double quotes does not end one.
std::vector<Word> Words(std::string_view text) {
  std::vector<Word> words;
  for (size_t i = text.find_first_not_of(kSpace); i < text.size();) {
    const size_t start = i;
    for (bool quoted = false; i < text.size(); ++i) {
      if (text[i] == '"') quoted = !quoted;
      if (!quoted && kSpace.find(text[i]) != std::string_view::npos) break;
    }
    words.push_back({text.substr(start, i - start), start});
    i = text.find_first_not_of(kSpace, i);
  }
  return words;
}

std::string Underscores(std::string_view text) {
  std::string name(text);
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string_view WithoutQuotes(std::string_view text) {
  if (text.starts_with('"')) text.remove_prefix(1);
  if (text.ends_with('"')) text.remove_suffix(1);
  return text;
}

ModuleOption MakeOption(std::string_view module, std::string_view assignment) {
  ModuleOption option;
  assignment = WithoutQuotes(assignment);
  const size_t equals = assignment.find('=');
  option.module = Underscores(module);
  option.name = Underscores(assignment.substr(0, equals));
  if (equals == std::string_view::npos) return option;
  option.value = std::string(WithoutQuotes(assignment.substr(equals + 1)));
  return option;
}

void AddOptions(const JoinedLine& line, std::string_view file, std::vector<ModuleOption>& options) {
  const std::vector<Word> words = Words(line.text);
  if (words.size() < 3 || words[0].text != "options") return;
  for (size_t i = 2; i < words.size(); ++i) {
    ModuleOption option = MakeOption(words[1].text, words[i].text);
    if (option.name.empty()) continue;
    option.file = file;
    option.line = line.LineAt(words[i].offset);
    options.push_back(std::move(option));
  }
}

using Kind = ModuleRule::Kind;

std::optional<Kind> KindOf(std::string_view word) {
  if (word == "install") return Kind::kInstall;
  if (word == "softdep") return Kind::kSoftdep;
  if (word == "blacklist") return Kind::kBlacklist;
  return std::nullopt;
}

void AddRule(const JoinedLine& line, std::string_view file, std::vector<ModuleRule>& rules) {
  const std::vector<Word> words = Words(line.text);
  if (words.size() < 2) return;
  const std::optional<Kind> kind = KindOf(words[0].text);
  if (!kind) return;
  const std::string_view whole = line.text;
  const size_t end = words[1].offset + words[1].text.size();
  rules.push_back({*kind, Underscores(words[1].text), std::string(Trim(whole.substr(end))),
                   std::string(file), line.first_line});
}

// "module_blacklist=a,b": the kernel compares as it stands, modprobe takes '-' for '_'.
void AddBlacklists(std::string_view word, std::vector<ModuleRule>& rules) {
  for (const auto& [start, kind] : {std::pair("module_blacklist=", Kind::kKernelBlacklist),
                                    {"modprobe.blacklist=", Kind::kBlacklist}}) {
    if (!word.starts_with(start)) continue;
    for (const std::string_view name : Split(word.substr(word.find('=') + 1), ',')) {
      if (name.empty()) continue;
      const bool as_it_stands = kind == Kind::kKernelBlacklist;
      rules.push_back({kind,
                       as_it_stands ? std::string(name) : Underscores(name),
                       {},
                       std::string(kCommandLinePath),
                       0});
    }
  }
}

bool IsFor(const ModuleRule& rule, std::string_view module) {
  const bool is_plain = rule.kind == Kind::kBlacklist || rule.kind == Kind::kKernelBlacklist;
  return is_plain ? rule.pattern == module
                  : ::fnmatch(rule.pattern.c_str(), std::string(module).c_str(), 0) == 0;
}

// File name -> host path, each name from the first folder that has it.
std::map<std::string, std::string> ConfigFiles(const HostRoot& root, ModprobeConfig& config) {
  std::map<std::string, std::string> files;
  for (const std::string_view folder : kFolders) {
    if (!root.Exists(folder)) continue;
    const Result<std::vector<std::string>> names = root.List(folder);
    if (!names) config.unread.push_back(names.error().message);
    if (!names) continue;
    for (const std::string& name : *names) {
      if (name.starts_with('.') || !name.ends_with(".conf")) continue;
      files.emplace(name, fmt::format("{}/{}", folder, name));
    }
  }
  return files;
}

// A link to /dev/null is how an administrator switches a distribution's file off.
void AddFile(const HostRoot& root, const std::string& path, ModprobeConfig& config) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(root.Path(path), error)) return;
  if (std::filesystem::file_size(root.Path(path), error) > kFileBytesMax) {
    config.unread.push_back(fmt::format("{}: larger than {} bytes", path, kFileBytesMax));
    return;
  }
  const Result<std::string> text = root.Read(path);
  if (!text) {
    config.unread.push_back(text.error().message);
    return;
  }
  std::ranges::move(ParseModprobeFile(*text, path), std::back_inserter(config.options));
  std::ranges::move(ParseModprobeRules(*text, path), std::back_inserter(config.rules));
}

std::string PlaceOf(const std::string& file, int line) {
  return line == 0 ? file : fmt::format("{}:{}", file, line);
}

}  // namespace

bool IsFromCommandLine(const ModuleOption& option) { return option.line == 0; }

std::string PlaceText(const ModuleOption& option) { return PlaceOf(option.file, option.line); }

std::string PlaceText(const ModuleRule& rule) { return PlaceOf(rule.file, rule.line); }

std::vector<ModuleOption> ParseModprobeFile(std::string_view text, std::string_view file) {
  std::vector<ModuleOption> options;
  for (int line = 1; !text.empty();) AddOptions(TakeLine(text, line), file, options);
  return options;
}

std::vector<ModuleRule> ParseModprobeRules(std::string_view text, std::string_view file) {
  std::vector<ModuleRule> rules;
  for (int line = 1; !text.empty();) AddRule(TakeLine(text, line), file, rules);
  return rules;
}

std::vector<ModuleRule> ParseCommandLineRules(std::string_view text) {
  std::vector<ModuleRule> rules;
  for (const Word& word : Words(text)) AddBlacklists(WithoutQuotes(word.text), rules);
  return rules;
}

const ModuleRule* ModprobeConfig::RuleFor(ModuleRule::Kind kind, std::string_view module) const {
  const auto found = std::ranges::find_if(
      rules, [&](const ModuleRule& rule) { return rule.kind == kind && IsFor(rule, module); });
  return found == rules.end() ? nullptr : &*found;
}

std::vector<ModuleOption> ParseCommandLine(std::string_view text) {
  std::vector<ModuleOption> options;
  for (const Word& word : Words(text)) {
    const std::string_view whole = WithoutQuotes(word.text);
    const size_t dot = whole.substr(0, whole.find('=')).find('.');
    if (dot == std::string_view::npos || whole.find('=') == std::string_view::npos) continue;
    ModuleOption option = MakeOption(whole.substr(0, dot), whole.substr(dot + 1));
    option.file = kCommandLinePath;
    if (!option.module.empty() && !option.name.empty()) options.push_back(std::move(option));
  }
  return options;
}

ModprobeConfig ReadModprobeConfig(const HostRoot& root) {
  ModprobeConfig config;
  for (const auto& [name, path] : ConfigFiles(root, config)) AddFile(root, path, config);
  const Result<std::string> command_line = root.Read(kCommandLinePath);
  if (!command_line) {
    config.unread.push_back(command_line.error().message);
    return config;
  }
  std::ranges::move(ParseCommandLine(*command_line), std::back_inserter(config.options));
  std::ranges::move(ParseCommandLineRules(*command_line), std::back_inserter(config.rules));
  return config;
}

std::optional<uint64_t> ParseKernelUint(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with('0')) {
    base = 8;
  }
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace plectl::host
