// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/install_line.h"

#include <algorithm>
#include <string>

namespace plectl::host {
namespace {

using Effect = InstallLine::Effect;

// The words of the commands in a shell's command line, roughly: quotes go, separators end one.
std::vector<std::vector<std::string>> Commands(std::string_view text) {
  std::vector<std::vector<std::string>> commands(1);
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) commands.back().push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    if (c == '"' || c == '\'') continue;
    const bool separates = std::string_view(";&|(){}`\n").find(c) != std::string_view::npos;
    if (separates || c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else {
      word += c;
    }
    if (separates && !commands.back().empty()) commands.emplace_back();
  }
  end_word();
  return commands;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string Underscores(std::string_view text) {
  std::string name(text);
  std::ranges::replace(name, '-', '_');
  return name;
}

// "/lib/modules/X/kvm-intel.ko.xz" is kvm_intel.
std::string ModuleOfFile(std::string_view path) {
  const std::string_view name = BaseName(path);
  return Underscores(name.substr(0, name.find(".ko")));
}

void AddOptions(const std::vector<std::string>& words, size_t first, InstallLine& line) {
  for (size_t i = first; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == 0 || equals == std::string::npos || words[i].front() == '-') continue;
    line.options.push_back({line.rule.pattern, Underscores(words[i].substr(0, equals)),
                            words[i].substr(equals + 1), line.rule.file, line.rule.line});
  }
}

bool IsIgnoreInstall(std::string_view word) {
  return word == "--ignore-install" || (word.starts_with('-') && !word.starts_with("--") &&
                                        word.find('i') != std::string_view::npos);
}

// Whether the command loads the module; notes its options.
bool Loads(const std::vector<std::string>& words, std::string_view module, InstallLine& line) {
  const auto program = std::ranges::find_if(words, [](const std::string& word) {
    return BaseName(word) == "modprobe" || BaseName(word) == "insmod";
  });
  if (program == words.end()) return false;
  const auto arguments = static_cast<size_t>(program - words.begin()) + 1;
  const bool is_insmod = BaseName(*program) == "insmod";
  bool ignores_install = is_insmod;
  for (size_t i = arguments; i < words.size(); ++i) {
    ignores_install = ignores_install || IsIgnoreInstall(words[i]);
    const std::string name = is_insmod ? ModuleOfFile(words[i]) : Underscores(words[i]);
    if (name != module || !ignores_install) continue;
    line.with_config = !is_insmod;
    AddOptions(words, i + 1, line);
    return true;
  }
  return false;
}

bool Refuses(const std::vector<std::string>& words) {
  if (words.empty()) return true;
  const std::string_view program = BaseName(words.front());
  return program == "false" || program == "true" || program == ":" || program == "exit" ||
         program == "echo" || program == "logger";
}

Effect Judge(std::string_view module, InstallLine& line) {
  const auto commands = Commands(line.rule.text);
  bool refuses = true;
  bool loads = false;
  for (const std::vector<std::string>& words : commands) {
    loads = Loads(words, module, line) || loads;
    refuses = refuses && Refuses(words);
  }
  if (loads) return Effect::kLoads;
  return refuses ? Effect::kRefuses : Effect::kUnknown;
}

}  // namespace

std::optional<InstallLine> FindInstallLine(const ModprobeConfig& config, std::string_view module) {
  const ModuleRule* rule = config.RuleFor(ModuleRule::Kind::kInstall, module);
  if (rule == nullptr) return std::nullopt;
  InstallLine line;
  line.rule = *rule;
  line.effect = Judge(module, line);
  for (ModuleOption& option : line.options) option.module = module;
  return line;
}

std::vector<ModuleOption> OptionsAtNextLoad(const ModprobeConfig& config, std::string_view module,
                                            bool built_in) {
  const auto line = built_in ? std::nullopt : FindInstallLine(config, module);
  std::vector<ModuleOption> options;
  for (const ModuleOption& option : config.options) {
    const bool counts = built_in ? IsFromCommandLine(option) : !line || line->with_config;
    if (option.module == module && counts) options.push_back(option);
  }
  if (line) options.insert(options.end(), line->options.begin(), line->options.end());
  return options;
}

}  // namespace plectl::host
