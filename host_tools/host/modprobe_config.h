// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// One NAME=VALUE of an "options MODULE NAME=VALUE..." line of modprobe.d, or one MODULE.NAME=VALUE
// of the kernel command line. Module and name have '_' for '-': modprobe and kernel see both alike.
struct ModuleOption {
  std::string module;
  std::string name;
  std::optional<std::string> value;  // nothing for a bare NAME
  std::string file;                  // the host path
  int line = 0;                      // from 1; 0 on the kernel command line

  friend bool operator==(const ModuleOption&, const ModuleOption&) = default;
};

inline constexpr std::string_view kCommandLinePath = "/proc/cmdline";
bool IsFromCommandLine(const ModuleOption& option);
// "/etc/modprobe.d/kvm.conf:3", or "/proc/cmdline".
std::string PlaceText(const ModuleOption& option);

// The options in a file of modprobe.d(5), as libkmod splits it into words and the kernel splits
// them into parameters. Any bytes will do; lines that are no options are skipped.
std::vector<ModuleOption> ParseModprobeFile(std::string_view text, std::string_view file);

// A line that changes how, or whether, a module is loaded.
struct ModuleRule {
  enum class Kind {
    kInstall,          // "install PATTERN COMMAND": modprobe runs that instead
    kSoftdep,          // "softdep PATTERN pre: OTHERS post: OTHERS": modprobe loads those too
    kBlacklist,        // not loaded by itself (at boot, by udev); "modprobe NAME" still does
    kKernelBlacklist,  // module_blacklist=: the kernel refuses it, whoever asks
  };
  Kind kind = Kind::kInstall;
  std::string pattern;  // of names with '_' for '-'; a plain name where it is a blacklist
  std::string text;     // what follows it in the line
  std::string file;     // the host path
  int line = 0;         // from 1; 0 on the kernel command line

  friend bool operator==(const ModuleRule&, const ModuleRule&) = default;
};
// "/etc/modprobe.d/kvm.conf:3", or "/proc/cmdline".
std::string PlaceText(const ModuleRule& rule);
// The rules in a file of modprobe.d(5).
std::vector<ModuleRule> ParseModprobeRules(std::string_view text, std::string_view file);
// Those of a kernel command line: modprobe.blacklist= and module_blacklist=.
std::vector<ModuleRule> ParseCommandLineRules(std::string_view text);

// Every MODULE.NAME=VALUE of a kernel command line.
std::vector<ModuleOption> ParseCommandLine(std::string_view text);

// What modprobe would hand to the kernel, in its order: the last value of a name wins.
struct ModprobeConfig {
  std::vector<ModuleOption> options;
  std::vector<ModuleRule> rules;
  std::vector<std::string> unread;  // "PATH: why" of the files that could not be looked into

  // The first rule of that kind for a module, which is the one that counts; or nullptr.
  [[nodiscard]] const ModuleRule* RuleFor(ModuleRule::Kind kind, std::string_view module) const;
};
// The *.conf files of the modprobe.d folders sorted by name, a file in an earlier folder (/etc,
// /run, /usr/local/lib, /usr/lib, /lib) in place of its namesakes, then the kernel command line.
ModprobeConfig ReadModprobeConfig(const HostRoot& root);

// A number as the kernel's parameters take it: decimal, 0x hexadecimal, or octal after a 0.
std::optional<uint64_t> ParseKernelUint(std::string_view text);

}  // namespace plectl::host
